"""Chromium under Playwright's control: an installed one, else the sandbox's. Nothing is downloaded."""

import os

from playwright.sync_api import Browser, Playwright

from renders.sandbox.browser import find_browser, installed_browser
from renders.sandbox.toolchain import prepare

ARGUMENTS = (
    # No name is resolved but the loopback interface's: a page that needs another host does not work.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--autoplay-policy=no-user-gesture-required",
)


def launch(playwright: Playwright) -> Browser:
    """Start Chromium without a window."""
    if installed := installed_browser():
        return playwright.chromium.launch(executable_path=installed, args=ARGUMENTS)
    toolchain = prepare(lambda text: None)
    found = find_browser(toolchain)
    environment: dict[str, str | float | bool] = {**os.environ, "FONTCONFIG_PATH": str(toolchain.fonts)}
    if found.libraries:
        environment["LD_LIBRARY_PATH"] = str(found.libraries)
    return playwright.chromium.launch(executable_path=found.executable, env=environment, args=ARGUMENTS)
