"""How the cost of one render was reckoned, line by line."""

from dataclasses import dataclass

from renders.models import Render
from renders.remotion.pricing import BILLED_DISK_IN_MB, PRICES
from renders.remotion.target import memory_in_name

MB_PER_GB = 1024
LARGEST_REST = 0.2
"""If more of the cost than this share is not explained by memory and disk, its lines explain nothing."""


@dataclass(frozen=True)
class Line:
    """One part of a cost."""

    name: str
    reckoned: str
    """Quantities and prices, as a product; empty for what is left."""
    amount: float


def reckoning(render: Render) -> list[Line]:
    """Return the parts of a render's cost, in its currency; none if its cost or its function's size is not known."""
    memory = memory_in_name(render.function_name)
    if not render.cost or not render.function_seconds or not memory or render.region not in PRICES:
        return []
    _, per_memory, per_disk = PRICES[render.region]
    lines = [
        _line("Memory", render.function_seconds, memory / MB_PER_GB, per_memory),
        _line("Disk", render.function_seconds, BILLED_DISK_IN_MB / MB_PER_GB, per_disk),
    ]
    rest = render.cost - sum(line.amount for line in lines)
    if abs(rest) > render.cost * LARGEST_REST:
        return []
    return [*lines, Line("Rounding" if rest < 0 else "Requests, rounding", "", rest)]


def _line(name: str, seconds: float, gigabytes: float, price: float) -> Line:
    price_shown = f"{price:.12f}".rstrip("0")
    return Line(name, f"{seconds:,.1f} s × {gigabytes:.2f} GB × {price_shown}", seconds * gigabytes * price)
