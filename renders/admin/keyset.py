"""Pages of rows of which a day has many: by day and id, from the last row that was seen."""

import re
from datetime import date
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR
from django.db.models import Q
from django.http import HttpRequest

from renders.admin.pagination import CursorChangeList

PAGE_SIZE = 50
POSITION = re.compile(r"(older|newer)\.(\d{4}-\d\d-\d\d)\.(\d{1,18})", re.ASCII)


class DayChangeList(CursorChangeList):
    """A list in the order of ``("-day", "-id")``, read by an index that has both, however many rows a day has."""

    def get_results(self, request: HttpRequest) -> None:
        direction, day, pk = _position(request.GET.get(PAGE_VAR, ""))
        rows = self.queryset
        if direction == "newer":
            rows = rows.filter(Q(day__gt=day) | Q(pk__gt=pk), day__gte=day).order_by("day", "id")
        elif direction == "older":
            rows = rows.filter(Q(day__lt=day) | Q(pk__lt=pk), day__lte=day)
        found = list(rows[: PAGE_SIZE + 1])
        is_more = len(found) > PAGE_SIZE
        shown = found[:PAGE_SIZE]
        if direction == "newer":
            shown.reverse()
        self.newer = self._link("newer", shown[:1]) if direction == "older" or (direction and is_more) else ""
        self.older = self._link("older", shown[-1:]) if direction == "newer" or is_more else ""
        self.show_rows(shown)

    def _link(self, direction: str, rows: list[Any]) -> str:
        if not rows:
            return self.get_query_string(remove=[PAGE_VAR])
        return self.get_query_string({PAGE_VAR: f"{direction}.{rows[0].day}.{rows[0].pk}"})


def _position(text: str) -> tuple[str, date, int]:
    """Return in which direction from which row the page is; no direction is the first page."""
    if not text:
        return "", date.min, 0
    match = POSITION.fullmatch(text)
    if match is None:
        raise IncorrectLookupParameters
    try:
        return match[1], date.fromisoformat(match[2]), int(match[3])
    except ValueError as err:
        raise IncorrectLookupParameters from err
