"""Reports of usage: the totals of days, summed by one thing."""

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Any

from django.db.models import Sum

from renders.models import UsageDay


class GroupBy(StrEnum):
    """What a report has a row for each of; with several currencies, one for each of those too."""

    DAY = "day"
    OWNER = "owner"
    TEMPLATE = "template"
    REGION = "region"


COLUMN = {GroupBy.DAY: "day", GroupBy.OWNER: "owner__username", GroupBy.TEMPLATE: "template", GroupBy.REGION: "region"}
EVERYBODY = object()
"""In place of an owner: all of them."""


def usage_report(*, first: date, last: date, group_by: GroupBy, owner: Any) -> Iterator[dict[str, Any]]:
    """Yield the rows of a report of the days from ``first`` to ``last``, in order, read from the database as they go.

    ``owner`` is a user, None, or EVERYBODY. Each row has ``group_by``, ``currency`` and the names in
    ``UsageDay.COUNTED``.
    """
    days = UsageDay.objects.filter(day__gte=first, day__lte=last)
    if owner is not EVERYBODY:
        days = days.filter(owner=owner)
    column = COLUMN[group_by]
    sums = {f"sum_{name}": Sum(name) for name in UsageDay.COUNTED}
    rows = days.values(column, "currency").annotate(**sums).order_by(column, "currency")
    for row in rows.iterator():
        counted = {name: row[f"sum_{name}"] for name in UsageDay.COUNTED}
        yield {str(group_by): row[column], "currency": row["currency"], **counted}
