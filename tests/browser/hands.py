"""How a page is operated: with a pointer, or by the keyboard alone."""

from typing import Protocol

from playwright.sync_api import Locator, Page, expect

MOST_TABS = 250


class Hand(Protocol):
    """What a person does with a page."""

    def press(self, target: Locator) -> None:
        """Press a button or follow a link."""

    def fill(self, field: Locator, text: str) -> None:
        """Replace the text of a field."""

    def play(self, video: Locator) -> None:
        """Let a video play."""


class Pointer:
    """A mouse or a finger. Fields are filled as if the text was pasted."""

    def press(self, target: Locator) -> None:
        target.click()

    def fill(self, field: Locator, text: str) -> None:
        field.fill(text)

    def play(self, video: Locator) -> None:
        video.click()


class Keyboard:
    """Keys only: whatever is used must be reached by the tabulator, and show that it has the focus."""

    def __init__(self, page: Page) -> None:
        self._keyboard = page.keyboard

    def press(self, target: Locator) -> None:
        self._reach(target)
        self._keyboard.press("Enter")

    def fill(self, field: Locator, text: str) -> None:
        self._reach(field)
        self._keyboard.press("ControlOrMeta+A")
        self._keyboard.type(text)

    def play(self, video: Locator) -> None:
        self._reach(video)
        self._keyboard.press("Space")

    def _reach(self, target: Locator) -> None:
        expect(target).to_be_visible()
        for _ in range(MOST_TABS):
            if target.evaluate("element => element === document.activeElement"):
                assert target.evaluate(SHOWS_FOCUS), f"It does not show that it has the focus: {target}"
                return
            self._keyboard.press("Tab")
        raise AssertionError(f"The tabulator does not reach {target}.")


SHOWS_FOCUS = """element => {
    // A frame around a field may show it instead of the field.
    const shown = [element, element.parentElement, element.parentElement.parentElement];
    const look = () => shown.map((each) => {
        const { outlineStyle, outlineWidth, outlineColor, boxShadow, borderColor } = getComputedStyle(each);
        return [outlineStyle, outlineWidth, outlineColor, boxShadow, borderColor].join();
    }).join();
    const focused = look();
    element.blur();
    const without = look();
    element.focus();
    return focused !== without;
}"""
