"""The way of somebody in support, against the sandbox: start, watch, play, cancel, repeat, find, count."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from renders.sandbox.aws import Sandbox
from renders.sandbox.network import free_port
from renders.sandbox.toolchain import Toolchain
from renders.sandbox.web_service import WebService
from tests.browser.accessibility import accessibility_faults
from tests.browser.guard import Guard
from tests.browser.hands import Hand, Keyboard, Pointer
from tests.browser.views import LAPTOP, LAPTOP_DARK, PHONE_DARK, View

pytestmark = pytest.mark.system

RENDER_SECONDS = 120
CODE = re.compile(r"^Code\*?$")
"""The field's label, with the sign of what is required."""
SAMPLE_BAR = """() => {
    window.isSamePage = true;
    window.bars = [];
    setInterval(() => {
        const bar = document.querySelector("#page-head progress");
        if (bar && bars.at(-1) !== bar.value) bars.push(bar.value);
    }, 50);
}"""


@pytest.fixture(scope="module")
def service(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebService]:
    with Sandbox(toolchain, data=tmp_path_factory.mktemp("data")) as sandbox:
        service = WebService(sandbox, port=free_port(0))
        service.start()
        yield service


@pytest.fixture
def guard(service: WebService) -> Guard:
    return Guard(server=service.url, media=service.sandbox.s3_url)


@pytest.fixture
def page(browser: Browser, service: WebService, view: View, guard: Guard) -> Iterator[Page]:
    with view.open(browser, url=service.url) as context:
        guard.watch(context)
        yield context.new_page()
    assert not guard.faults, "\n".join(guard.faults)


class Support:
    """Somebody who uses the admin, with their hands."""

    def __init__(self, page: Page, hand: Hand) -> None:
        self.page, self.hand = page, hand

    def sign_in(self, service: WebService) -> None:
        self.page.goto("/admin/")
        self.hand.fill(self.page.get_by_label("Username"), service.username)
        self.hand.fill(self.page.get_by_label("Password"), service.password)
        self.hand.press(self.page.get_by_role("button", name="Log in"))
        expect(self.page.get_by_role("heading", name="Now")).to_be_visible()

    def start(self, code: str, *, frames: int) -> str:
        """Start a render by the form, and return its id."""
        self.page.goto("/admin/renders/render/")
        self.hand.press(self.page.locator("a[href^='/admin/renders/render/add/']:visible").first)
        self.hand.fill(self.page.get_by_label(CODE), code)
        return self.change_and_start(frames=frames)

    def change_and_start(self, *, frames: int) -> str:
        """Set the length in a form that is filled in, see what it takes, start it; return the render's id."""
        self.hand.fill(self.page.get_by_label("Length in frames"), str(frames))
        self.hand.press(self.page.get_by_role("button", name="Check"))
        expect(self.page.locator("#start-summary")).to_contain_text(f"{frames} frames")
        self.hand.press(self.page.get_by_role("button", name="Start", exact=True))
        self.page.wait_for_url(re.compile(r"/admin/renders/render/[0-9a-f-]{36}/change/"))
        return self.page.url.split("/")[-3]

    def repeat_with_a_change(self, *, frames: int) -> str:
        self.hand.press(self.page.get_by_role("link", name="Repeat with changes"))
        return self.change_and_start(frames=frames)

    def cancel(self) -> None:
        self.hand.press(self.page.locator("#button-cancel"))
        dialog = self.page.locator("#dialog-cancel")
        self.hand.press(dialog.get_by_role("button", name="Cancel render"))

    def find(self, words: str) -> None:
        """Search the list of renders."""
        self.page.goto("/admin/renders/render/")
        search = self.page.locator("#searchbar")
        self.hand.fill(search, words)
        search.press("Enter")

    @property
    def label(self) -> Locator:
        return self.page.locator("#page-head [data-live=label]")

    def wait_until(self, label: str) -> None:
        expect(self.label).to_have_text(label, timeout=1000 * RENDER_SECONDS)


@pytest.mark.parametrize(
    ("view", "by_keyboard"),
    [(LAPTOP, False), (PHONE_DARK, False), (LAPTOP_DARK, True)],
    ids=["1440-light", "390-dark", "1440-dark-by-keyboard"],
)
def test_support_starts_watches_plays_cancels_repeats_and_finds_renders(
    page: Page, service: WebService, by_keyboard: bool, view: View
) -> None:
    hand: Hand = Keyboard(page) if by_keyboard else Pointer()
    support = Support(page, hand)
    support.sign_in(service)

    support.start(f"Watched at {view}", frames=150)
    page.evaluate(SAMPLE_BAR)
    support.wait_until("Succeeded")
    video = page.locator("video")
    expect(video).to_be_visible()
    assert page.evaluate("isSamePage") is True
    bars = page.evaluate("bars")
    assert bars == sorted(bars)
    assert bars[-1] == 1
    assert any(0 < value < 1 for value in bars), bars
    hand.play(video)
    page.wait_for_function("document.querySelector('video').currentTime > 0.5")
    assert accessibility_faults(page) == []

    support.start(f"Cancelled at {view}", frames=900)
    support.wait_until("Rendering")
    support.cancel()
    support.wait_until("Cancelled")
    assert accessibility_faults(page) == []

    repeated = support.repeat_with_a_change(frames=30)
    support.wait_until("Succeeded")
    render_id = page.request.get(f"/api/renders/{repeated}/").json()["renderId"]

    support.find(render_id[:6])
    hand.press(page.locator("#result_list").get_by_role("link", name=render_id))
    page.wait_for_url(f"**/{repeated}/change/**")

    page.goto("/admin/")
    expect(page.get_by_role("heading", name="Now")).to_be_visible()
    assert accessibility_faults(page) == []
