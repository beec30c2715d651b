"""What axe-core finds in a page. https://www.deque.com/axe/"""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

IMPACTS = ("serious", "critical")


def accessibility_faults(page: Page) -> list[str]:
    """Return the serious and critical violations, each with where it is and why."""
    violations = Axe().run(page).response["violations"]
    return [
        f"{violation['id']} ({violation['impact']}) at {' '.join(map(str, node['target']))}: {_why(node)}"
        for violation in violations
        if violation["impact"] in IMPACTS
        for node in violation["nodes"]
    ]


def _why(node: dict) -> str:
    return " ".join(str(node.get("failureSummary", "")).split())
