"""What is wrong with a page that is shown."""

from playwright.sync_api import Page

from tests.browser.accessibility import accessibility_faults

WIDTHS = "[document.documentElement.scrollWidth, window.innerWidth]"


def faults_of(page: Page, address: str) -> list[str]:
    """Open the address, and return what is wrong with the page, each as a sentence that begins with the address."""
    response = page.goto(address)
    page.wait_for_load_state("networkidle")
    faults = []
    if response is None or response.status != 200:
        faults.append(f"The answer is {response and response.status}.")
    wide, screen = page.evaluate(WIDTHS)
    if wide > screen:
        faults.append(f"The page is {wide} pixels wide, the screen {screen}.")
    faults += accessibility_faults(page)
    return [f"{address}: {fault}" for fault in faults]
