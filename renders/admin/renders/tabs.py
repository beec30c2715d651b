"""Tabs of the list of renders: what support looks at again and again."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.contrib.admin.options import IncorrectLookupParameters
from django.http import HttpRequest
from django.utils import timezone

from renders.models import Render, RenderQuerySet

TAB_VAR = "tab"

LONGEST_LIFE = timedelta(days=7)
"""A render that has failed today is not older: it bounds how much of the index is read."""


class Tab(NamedTuple):
    title: str
    find: Callable[[RenderQuerySet, datetime], RenderQuerySet]
    """Return those of these renders that are in the tab at a time."""


def _failed_today(renders: RenderQuerySet, at: datetime) -> RenderQuerySet:
    midnight = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    failed = renders.with_status(Render.Status.FAILED)
    return failed.filter(created_at__gte=midnight - LONGEST_LIFE, finished_at__gte=midnight)


TABS = {
    "": Tab("All", lambda renders, at: renders),
    "active": Tab("Active", lambda renders, at: renders.not_ended()),
    "attention": Tab("Needs attention", lambda renders, at: renders.needing_attention(at)),
    "failed-today": Tab("Failed today", _failed_today),
}
"""By what ``TAB_VAR`` says in the address."""


def in_tab(renders: RenderQuerySet, request: HttpRequest) -> RenderQuerySet:
    """Return those of ``renders`` that the tab shows. Raise IncorrectLookupParameters if there is no such tab."""
    try:
        tab = TABS[request.GET.get(TAB_VAR, "")]
    except KeyError as err:
        raise IncorrectLookupParameters from err
    return tab.find(renders, timezone.now())


def tab_list(request: HttpRequest, *, model: str) -> list[dict[str, Any]]:
    """Return the tabs as Unfold's templates take them."""
    chosen = request.GET.get(TAB_VAR, "")
    items = [
        {
            "title": tab.title,
            "link": f"?{TAB_VAR}={name}" if name else "?",
            "active": name == chosen,
            "has_permission": True,
        }
        for name, tab in TABS.items()
    ]
    return [{"models": [model], "items": items}]
