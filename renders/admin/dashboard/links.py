"""Addresses of the lists that show the rows of a number."""

from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from renders.admin.links import list_of
from renders.models import Render, UsageDay
from renders.services.statistics.period import Period


def renders_address(request: HttpRequest, period: Period | None = None, **query: Any) -> str:
    """Return the address of a list of renders, of those that were created in a period if one is given."""
    return list_of(request, Render, **query, **(created_in(period) if period else {}))


def created_in(period: Period) -> dict[str, Any]:
    """Return the filter of the list of renders for those that were created in a period."""
    return {"created_from": period.first, "created_to": period.last}


def usage_address(request: HttpRequest, period: Period, **query: Any) -> str:
    """Return the address of the list of usage by day, which is of one month; empty for any other period."""
    if not period.is_month:
        return ""
    return list_of(request, UsageDay, month=f"{period.first:%Y-%m}", **query)


def link(address: str, text: Any) -> SafeString | str:
    """Return a link, or the text alone without an address."""
    if not address:
        return format_html("{}", text)
    return format_html('<a class="font-medium text-link underline" href="{}">{}</a>', address, text)
