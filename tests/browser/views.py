"""How a page is looked at: the size of the screen, light or dark."""

from dataclasses import dataclass
from typing import Literal

from playwright.sync_api import Browser, BrowserContext

Scheme = Literal["light", "dark"]


@dataclass(frozen=True)
class View:
    """A screen. ``height`` and ``width`` are CSS pixels."""

    width: int
    height: int
    scheme: Scheme = "light"
    is_phone: bool = False

    def __str__(self) -> str:
        return f"{self.width}-{self.scheme}"

    def open(self, browser: Browser, *, url: str) -> BrowserContext:
        """Return a new session of the browser, in which addresses begin at ``url``."""
        return browser.new_context(
            base_url=url,
            viewport={"width": self.width, "height": self.height},
            color_scheme=self.scheme,
            is_mobile=self.is_phone,
            has_touch=self.is_phone,
        )


LAPTOP, LAPTOP_DARK = View(1440, 900), View(1440, 900, "dark")
PHONE, PHONE_DARK = View(390, 844, is_phone=True), View(390, 844, "dark", is_phone=True)
VIEWS = (LAPTOP, LAPTOP_DARK, PHONE, PHONE_DARK)
