"""Remotion's functions of other versions than the sandbox's own, installed from npm."""

import fcntl
import json
import re
from pathlib import Path

from renders.sandbox.errors import SandboxError
from renders.sandbox.steps import NODE, NPM_CLI, Command, Say, Step, fingerprint_of, make_unless_done, run_logged

PACKAGE = "@remotion/lambda"
VERSION = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?")
NOT_PUBLISHED = ("ETARGET", "E404")


def install_function(version: str, folder: Path, say: Say) -> Path:
    """Install the function of one version of Remotion into ``folder/<version>``, once.

    Return its ``node_modules``, which ``Sandbox`` takes. Raise SandboxError if npm has no such
    version, or cannot install it.
    """
    if not VERSION.fullmatch(version):
        raise SandboxError(f"{version} is not a version of Remotion, such as 4.0.499.")
    own = folder / version
    own.mkdir(parents=True, exist_ok=True)
    with (own / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        manifest = own / "package.json"
        manifest.write_text(json.dumps({"private": True, "dependencies": {PACKAGE: version}}))
        step = Step(
            name="function",
            title=f"Installing the function of Remotion {version} from npm (150 to 300 MB, once)",
            sources=(manifest,),
            target=own / "node_modules",
            make=lambda: _install(version, own),
        )
        make_unless_done(step, fingerprint=fingerprint_of(step, previous=""), stamp=own / "function.json", say=say)
    return step.target


def installed_version(node_modules: Path) -> str:
    """Return the version of the function in ``node_modules``."""
    version: str = json.loads((node_modules / PACKAGE / "package.json").read_text())["version"]
    return version


def _install(version: str, folder: Path) -> None:
    log = folder / "npm.log"
    command: Command = [NODE, NPM_CLI, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"]
    try:
        run_logged(command, log=log, cwd=folder)
    except SandboxError as err:
        if any(code in log.read_text(errors="replace") for code in NOT_PUBLISHED):
            raise SandboxError(f"npm has no {PACKAGE}@{version}, or not all of its packages: see {log}.") from err
        raise
