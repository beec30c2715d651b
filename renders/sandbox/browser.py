"""The browser that renders: Chromium from npm where it runs, else a Chrome of this machine."""

import json
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from renders.sandbox.errors import SandboxError
from renders.sandbox.steps import NODE, Say, run_logged
from renders.sandbox.toolchain import Toolchain, ships_chromium

INSTALLED = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "google-chrome",
    "google-chrome-stable",
    "chromium",
    "chromium-browser",
)
"""Where a Chrome may be installed: paths, and names in PATH."""


@dataclass(frozen=True)
class Browser:
    """A browser that Remotion can render with."""

    executable: Path
    libraries: Path | None = None
    """The folder of shared libraries that it needs beside the system's."""
    has_old_headless: bool = False
    """Whether it takes ``--headless=old``, as Remotion starts it: Chrome Headless Shell only."""


def find_browser(toolchain: Toolchain, *, path: Path | None = None, say: Say = lambda text: None) -> Browser:
    """Return the browser at ``path``, else Chromium from npm, else an installed Chrome, else Remotion's own.

    Raise SandboxError if ``path`` is not a program, or if there is no browser.
    """
    if path:
        return Browser(_require_program(path))
    if ships_chromium():
        chromium = toolchain.chromium
        return Browser(chromium / "chromium", libraries=chromium / "al2023" / "lib", has_old_headless=True)
    if installed := installed_browser():
        say(f"Rendering with {installed}; --browser names another.")
        return Browser(installed)
    return _download(toolchain, say)


def installed_browser() -> Path | None:
    """Return the Chrome of this machine, or None if there is none."""
    installed = next(filter(None, map(shutil.which, INSTALLED)), None)
    return Path(installed) if installed else None


def _require_program(path: Path) -> Path:
    program = path.expanduser().resolve()
    if not program.is_file() or not os.access(program, os.X_OK):
        raise SandboxError(
            f"{path} is not a program: name Chrome's own file with --browser, such as {INSTALLED[0]!r} on macOS."
        )
    return program


def _download(toolchain: Toolchain, say: Say) -> Browser:
    """Have Remotion download the Chrome Headless Shell that it is tested with, once."""
    say("Downloading Chrome Headless Shell, Remotion's own browser …")
    folder, log = toolchain.folder / "browser", toolchain.logs / "browser.log"
    folder.mkdir(exist_ok=True)
    (folder / "package.json").write_text("{}")
    try:
        run_logged([NODE, toolchain.app / "browser.mjs", folder / "path.json"], log=log, cwd=folder)
    except SandboxError as err:
        raise SandboxError(
            f"{platform.system()} on {platform.machine()} has no browser that renders, and Remotion could not"
            f" download its own (see {log}): install Chrome, or name a browser with --browser."
        ) from err
    return Browser(Path(json.loads((folder / "path.json").read_text())), has_old_headless=True)
