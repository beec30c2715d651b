"""How values are shown in the admin."""

import json
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

NOTHING = "–"
MINUTE, HOUR = 60, 3600
SMALLEST = 0.0001
"""Of what amounts are told in."""


def seconds(seconds: float | None) -> str:
    return NOTHING if seconds is None else f"{seconds:,.1f}\N{NO-BREAK SPACE}s"


def money(amount: float | None, currency: str) -> str:
    """Return an amount to a hundredth of a cent; a smaller one is not told to be nothing."""
    if amount is None:
        return NOTHING
    told = f"under {SMALLEST}" if 0 < amount < SMALLEST else f"{amount:,.4f}"
    return f"{told}\N{NO-BREAK SPACE}{currency}"


def duration(seconds: float) -> str:
    """Return a length of time in its two largest units: ``3 h 20 min``."""
    if seconds >= HOUR:
        hours, minutes = divmod(round(seconds / MINUTE), 60)
        return f"{hours:,}\N{NO-BREAK SPACE}h {minutes}\N{NO-BREAK SPACE}min"
    if seconds >= MINUTE:
        minutes, rest = divmod(round(seconds), MINUTE)
        return f"{minutes}\N{NO-BREAK SPACE}min {rest}\N{NO-BREAK SPACE}s"
    return f"{seconds:,.1f}\N{NO-BREAK SPACE}s"


def moment(at: datetime | None) -> str:
    """Return a time with its seconds and its zone."""
    return NOTHING if at is None else f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S %Z}"


def age(at: datetime | None) -> SafeString | str:
    """Return how long ago a time was, in its largest unit; the time itself is shown on hover."""
    if at is None:
        return NOTHING
    seconds_ago = int((timezone.now() - at).total_seconds())
    ago = f"{max(0, seconds_ago)} s" if seconds_ago < MINUTE else timesince(at, depth=1)
    return format_html('<time datetime="{}" title="{}">{} ago</time>', at.isoformat(), moment(at), ago)


UNITS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


def brief_age(at: datetime) -> SafeString:
    """The same in less space: "3 min ago". ``live.js`` counts on."""
    age_in_seconds = max(1, int((timezone.now() - at).total_seconds()))
    unit, length = next((unit, length) for unit, length in UNITS if age_in_seconds >= length)
    ago = f"{age_in_seconds // length}\N{NO-BREAK SPACE}{unit}"
    return format_html('<time data-age datetime="{}" title="{}">{} ago</time>', at.isoformat(), moment(at), ago)


def elapsed(at: datetime | None) -> SafeString | str:
    """Return how long it is since a time: in seconds if it is short; the time itself is shown on hover."""
    if at is None:
        return NOTHING
    ago = (timezone.now() - at).total_seconds()
    told = f"{max(0, ago):.0f}\N{NO-BREAK SPACE}s" if ago < 120 else timesince(at, depth=1)
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), moment(at), told)


def share(part: float | None) -> str:
    """Return a share of 1 in percent."""
    return NOTHING if part is None else f"{part:.1%}"


def as_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def preformatted(text: str) -> SafeString:
    """Return text in a box that scrolls, also by the keyboard."""
    style = "white-space: pre-wrap; overflow-wrap: anywhere; max-height: 24em; overflow: auto; margin: 0"
    return format_html('<pre tabindex="0" style="{}">{}</pre>', style, text)
