"""All trials on each version, and the table of their results."""

import sys
import time
from collections.abc import Sequence

from django.test import override_settings

from renders.remotion.versions import PINNED_VERSION, can_cancel
from renders.sandbox.aws import Sandbox
from renders.sandbox.errors import SandboxError
from renders.sandbox.functions import install_function
from renders.sandbox.toolchain import Toolchain, prepare
from tests.compatibility.trials import TRIALS

WORKS, IMPOSSIBLE = "yes", "not possible"


def run(versions: Sequence[str]) -> None:
    """Print the table, and exit with status 1 if a trial has failed."""
    try:
        toolchain = prepare(say)
        rows = {version: _try_version(toolchain, version) for version in versions}
    except SandboxError as err:
        raise SystemExit(str(err)) from err
    say(f"\n| version | {' | '.join(TRIALS)} |\n|{' --- |' * (len(TRIALS) + 1)}")
    for version, results in rows.items():
        say(f"| {version} | {' | '.join(results)} |")
    failed = [version for version, results in rows.items() if not set(results) <= {WORKS, IMPOSSIBLE}]
    raise SystemExit(f"Not as it should be: {', '.join(failed)}." if failed else 0)


def _try_version(toolchain: Toolchain, version: str) -> list[str]:
    started_at = time.monotonic()
    is_pinned = version == PINNED_VERSION
    node_modules = None if is_pinned else install_function(version, toolchain.folder / "versions", say)
    say(f"Trying {version} …")
    with Sandbox(toolchain, node_modules=node_modules) as sandbox, override_settings(**sandbox.settings()):
        results = [_try(name, sandbox, version) for name in TRIALS]
    say(f"  done in {time.monotonic() - started_at:.0f} s")
    return results


def _try(name: str, sandbox: Sandbox, version: str) -> str:
    if name == "cancel" and not can_cancel(version):
        return IMPOSSIBLE
    try:
        TRIALS[name](sandbox)
    except Exception as err:
        reason = f"{type(err).__name__}: {err}".splitlines()[0]
        say(f"  {name}: {reason}")
        return f"NO: {reason}"
    return WORKS


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
