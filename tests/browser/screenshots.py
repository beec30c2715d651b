"""Take the pictures of the admin in docs/images/: ``python -m tests.browser.screenshots``.

The sandbox renders what they show: some videos that succeed, one that fails, one that still runs. Each page is taken on
a laptop in the light theme, and on a phone in the dark one.
"""

import json
import os
import re
import signal
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import django
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.views import LAPTOP, PHONE_DARK, View

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
VIEWS = {"": LAPTOP, "-phone": PHONE_DARK}
TITLES = ("Rotating 3D cube with blue color", "Quarterly results, as bars that grow", "Welcome to the team")
FAILS = "export default () => { throw new Error('The logo could not be loaded: https://example.com/logo.png'); };"
LONG_FRAMES = 3600
RENDER_SECONDS = 300
CODE = re.compile(r"^Code\*?$")
"""The field's label, with the sign of what is required."""


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def ask(url: str, body: dict[str, Any] | None = None) -> Any:
    """Return the API's answer: to a POST of the body, or to a GET without one."""
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.load(answer)


def render(url: str, code: str, *, frames: int = 60, **fields: Any) -> str:
    """Ask for a render, and return its id."""
    props = {"code": code, "durationInFrames": frames, "fps": 30}
    return str(ask(f"{url}/api/renders/", {"inputProps": props, **fields})["id"])


def wait_until_over(url: str, renders: list[str]) -> None:
    ends_at = time.monotonic() + RENDER_SECONDS
    while any(ask(f"{url}/api/renders/{pk}/")["status"] in {"queued", "submitting", "rendering"} for pk in renders):
        if time.monotonic() > ends_at:
            raise SystemExit("The renders did not end.")
        time.sleep(1)


def take(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=IMAGES / f"{name}.png")


def take_all(browser: Browser, view: View, ending: str, *, url: str, password: str, shown: str, failed: str) -> None:
    """Take each page; ``shown`` and ``failed`` are the ids of a render that succeeded and of one that did not."""
    with view.open(browser, url=url) as context:
        page = context.new_page()
        page.goto("/admin/login/")
        page.get_by_label("Username").fill("admin")
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/admin/")
        page.goto("/admin/renders/render/")
        page.wait_for_function("[...document.querySelectorAll('progress')].some((bar) => bar.value > 0)")
        take(page, f"list{ending}")
        page.goto(f"/admin/renders/render/{shown}/change/")
        page.locator("video").evaluate("video => { video.currentTime = 1; }")
        take(page, f"render{ending}")
        page.goto(f"/admin/renders/render/{failed}/change/")
        take(page, f"failed{ending}")
        page.goto("/admin/renders/render/add/")
        page.get_by_label(CODE).fill(TITLES[0])
        page.get_by_role("button", name="Check").click()
        page.locator("#start-summary dd").first.wait_for()
        take(page, f"start{ending}")
        page.goto("/admin/")
        take(page, f"dashboard{ending}")


def run() -> None:
    # Only now, because they read Django's settings.
    from renders.sandbox.aws import Sandbox  # noqa: PLC0415
    from renders.sandbox.network import free_port  # noqa: PLC0415
    from renders.sandbox.toolchain import prepare  # noqa: PLC0415
    from renders.sandbox.web_service import WebService  # noqa: PLC0415
    from tests.browser.chromium import launch  # noqa: PLC0415

    IMAGES.mkdir(parents=True, exist_ok=True)
    data = Path(tempfile.mkdtemp(prefix="renderhub-screenshots-"))
    with Sandbox(prepare(say), data=data) as sandbox, sync_playwright() as playwright:
        service = WebService(sandbox, port=free_port(0))
        service.start()
        failed = render(service.url, FAILS)
        succeeded = [render(service.url, title, poster={"seconds": 1}) for title in TITLES]
        wait_until_over(service.url, [failed, *succeeded])
        wait_until_over(service.url, [row["id"] for row in ask(f"{service.url}/api/renders/")["results"]])
        render(service.url, TITLES[0], frames=LONG_FRAMES, options={"framesPerLambda": LONG_FRAMES // 4})
        for title in TITLES[1:]:  # which wait, because they need all slots
            render(service.url, title, frames=900)
        browser = launch(playwright)
        for ending, view in VIEWS.items():
            take_all(
                browser, view, ending, url=service.url, password=service.password, shown=succeeded[0], failed=failed
            )
        browser.close()


if __name__ == "__main__":
    # So that SIGTERM, too, ends the processes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    os.environ["RENDERHUB_ENV_FILE"] = os.devnull
    os.environ["DJANGO_SETTINGS_MODULE"] = "renderhub.settings"
    django.setup()
    run()
