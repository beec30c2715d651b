"""A Remotion project in a folder of the user's: find what it needs, and bundle it as its own CLI does."""

import json
import re
import shutil
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from renders.sandbox.errors import SandboxError
from renders.sandbox.steps import NODE, run_logged

OLDEST_VERSION = (4, 0, 127)
"""The first version whose CLI bundles for a path: ``remotion bundle --public-path``."""

ENTRY_POINTS = [
    f"{folder}/index.{end}"
    for folder, ends in (
        ("src", ("ts", "tsx", "js", "mjs")),
        ("remotion", ("tsx", "ts", "js", "mjs")),
        ("src/remotion", ("tsx", "ts", "js", "mjs")),
    )
    for end in ends
]
"""Where Remotion's CLI looks, in its order."""

CONFIGS = ("remotion.config.ts", "remotion.config.js")
LOCK_FILES = {"pnpm-lock.yaml": "pnpm", "yarn.lock": "yarn", "bun.lock": "bun", "bun.lockb": "bun"}
PROGRESS = re.compile(r"Bundling \d+%|Copying public dir|.*(Cached bundle|Clearing cache|Deleting)")
DETAILS = ("at ", "resolve '")
"""What lines begin with that only say more about an error: its stack, and where webpack has looked."""
LINES_OF_AN_ERROR = 3


@dataclass(frozen=True)
class Project:
    """A Remotion project with its packages installed."""

    folder: Path
    version: str
    """Remotion's, as installed."""
    cli: Path
    """The project's own ``remotion`` command."""
    entry: Path | None
    """None: the project's configuration names it."""

    @property
    def site(self) -> str:
        """Name of the site that it becomes: the folder's, in the characters that Remotion allows."""
        return re.sub(r"[^0-9a-z]+", "-", self.folder.name.lower()).strip("-") or "project"

    def bundle(self, target: Path, *, public_path: str, log: Path) -> None:
        """Bundle into the folder ``target`` for the URL path ``public_path``.

        Raise SandboxError with what Remotion says if it does not bundle; ``log`` has all of it.
        """
        # Remotion bundles into a folder only if there is none, or one that it has finished before.
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        entry = [self.entry] if self.entry else []
        options = [f"--out-dir={target}", f"--public-path={public_path}"]
        try:
            run_logged([NODE, self.cli, "bundle", *entry, *options], log=log, cwd=self.folder)
        except SandboxError as err:
            said = first_error(log.read_text(errors="replace"))
            raise SandboxError(f"{self.folder} does not bundle: {said} (All that Remotion said: {log})") from err


def open_project(folder: Path, *, entry: str = "") -> Project:
    """Return the project in ``folder``; raise SandboxError with the cure if it cannot be rendered.

    ``entry`` is its entry point, relative to the project or to the current folder; where it is
    empty, the file is found as Remotion's CLI finds it.
    """
    folder = folder.resolve()
    manifest = _read_manifest(folder)
    remotion = _find_package(folder, "remotion")
    if not remotion:
        raise SandboxError(_why_not_installed(folder, manifest))
    version = str(json.loads((remotion / "package.json").read_text())["version"])
    _require_supported(version, folder)
    cli = _find_package(folder, "@remotion/cli")
    if not cli:
        raise SandboxError(
            f"{folder} lacks @remotion/cli, which bundles it: run"
            f" `{_package_manager(folder)} add @remotion/cli@{version}` there."
        )
    return Project(folder, version, cli / "remotion-cli.js", _find_entry(folder, entry))


def first_error(output: str) -> str:
    """Return the first lines of what Remotion's CLI printed that are an error, without what it lists after it."""
    lines = [line.strip() for line in output.splitlines()]
    lines = [line for line in lines if line and not PROGRESS.match(line)]
    start = next((number for number, line in enumerate(lines) if "Error:" in line), 0)
    error = list(takewhile(lambda line: not line.startswith(DETAILS), lines[start:]))
    return " ".join(error[:LINES_OF_AN_ERROR]) or "Remotion's CLI ended without a word."


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / "package.json"
    try:
        manifest = json.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError) as err:
        raise SandboxError(
            f"{folder} has no package.json: name the folder of a Remotion project with --project;"
            " `npx create-video@latest` makes one."
        ) from err
    except (OSError, ValueError) as err:
        raise SandboxError(f"{path} cannot be read: {err}.") from err
    if not isinstance(manifest, dict):
        raise SandboxError(f"{path} is not a JSON object.")
    return manifest


def _find_package(folder: Path, name: str) -> Path | None:
    """Return the folder of an installed package as Node finds it: in this ``node_modules``, or in a parent's."""
    folders = (parent / "node_modules" / name for parent in (folder, *folder.parents))
    return next((found for found in folders if (found / "package.json").is_file()), None)


def _why_not_installed(folder: Path, manifest: dict[str, Any]) -> str:
    wanted = {name for kind in ("dependencies", "devDependencies") for name in manifest.get(kind) or {}}
    if "remotion" in wanted:
        return f"The packages of {folder} are not installed: run `{_package_manager(folder)} install` there."
    return (
        f"{folder} is not a Remotion project, because its package.json does not name remotion:"
        " name the folder of one with --project."
    )


def _package_manager(folder: Path) -> str:
    """Return the package manager whose lock file is nearest."""
    for parent in (folder, *folder.parents):
        for name, manager in {"package-lock.json": "npm", **LOCK_FILES}.items():
            if (parent / name).exists():
                return manager
    return "npm"


def _require_supported(version: str, folder: Path) -> None:
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
    supported = ".".join(map(str, OLDEST_VERSION))
    if numbers[0] > OLDEST_VERSION[0]:
        cure = "set the project back to that, or use a newer version of the sandbox"
    elif numbers < OLDEST_VERSION:
        cure = "run `npx remotion upgrade` there (from 3.x, see https://www.remotion.dev/docs/4-0-migration)"
    else:
        return
    raise SandboxError(f"{folder} uses Remotion {version}, and the sandbox runs {supported} and newer of 4.x: {cure}.")


def _find_entry(folder: Path, entry: str) -> Path | None:
    if entry:
        found = next((path for path in (folder / entry, Path(entry).resolve()) if path.is_file()), None)
        if not found:
            raise SandboxError(f"{folder} has no file {entry}: name the one that calls registerRoot() with --entry.")
        return found
    if any("setEntryPoint" in (folder / name).read_text() for name in CONFIGS if (folder / name).is_file()):
        return None
    found = next((folder / name for name in ENTRY_POINTS if (folder / name).is_file()), None)
    if not found:
        raise SandboxError(
            f"{folder} has no entry point where Remotion looks ({ENTRY_POINTS[0]} and the like):"
            " name the file that calls registerRoot() with --entry."
        )
    return found
