"""What the renders of a period have cost: by day, by owner, by template. From the totals of days."""

from collections import defaultdict
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet, Sum

from renders.models import UsageDay
from renders.services.statistics.period import Period

ROWS = 10
"""Of owners and templates, those that cost most."""


@dataclass(frozen=True)
class Used:
    """What was used, together. ``cost`` is in the currency of its ``Costs``."""

    renders: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    video_seconds: float = 0
    cost: float = 0

    def __add__(self, other: "Used") -> "Used":
        return Used(*(getattr(self, name) + getattr(other, name) for name in COUNTED))

    @property
    def success_rate(self) -> float | None:
        """The share (0 to 1) of renders that succeeded, of those that were not cancelled; None without any."""
        ended = self.succeeded + self.failed
        return self.succeeded / ended if ended > 0 else None


COUNTED = [field.name for field in fields(Used)]


@dataclass(frozen=True)
class Share:
    """What one owner or template used."""

    key: Any
    """The owner's id or None; the template's name, empty for the default one."""
    name: str
    """The user name; empty without owner. The template's name."""
    used: Used


@dataclass(frozen=True)
class Costs:
    """Usage of a period."""

    currency: str
    """The one in which most was spent; Remotion's estimates have one only."""
    other_costs: dict[str, float]
    """What was spent in other currencies."""
    by_day: dict[date, Used]
    by_owner: list[Share]
    by_template: list[Share]
    owners_matched: int | None
    """How many users the text fits; None if all owners are meant."""

    @property
    def total(self) -> Used:
        return sum(self.by_day.values(), Used())


def costs(period: Period, *, owner: str = "") -> Costs:
    """Return the usage of a period, of all or of the owners whose user name or e-mail has ``owner`` in it.

    The totals of the period's days are read twice, however many groupings are shown.
    """
    days = UsageDay.objects.filter(day__gte=period.first, day__lte=period.last)
    matched = None
    if owner:
        owners = users_named(owner)
        matched = owners.count()
        days = days.filter(owner__in=owners.order_by().values("pk"))
    rows = _by_day_and_template(days)
    spent: dict[str, float] = defaultdict(float)
    for row in rows:
        spent[row.currency] += row.used.cost
    main = max(spent, key=lambda currency: (spent[currency], currency), default="")
    by_day: dict[date, Used] = defaultdict(Used)
    by_template: dict[str, Used] = defaultdict(Used)
    for row in rows:
        used = row.used if row.currency == main else replace(row.used, cost=0)
        by_day[row.day] += used
        by_template[row.template] += used
    return Costs(
        currency=main,
        other_costs={currency: cost for currency, cost in spent.items() if currency != main and cost},
        by_day=dict(by_day),
        by_owner=_by_owner(days, currency=main),
        by_template=sorted(
            (Share(name, name, used) for name, used in by_template.items()), key=lambda share: _cost_first(share.used)
        )[:ROWS],
        owners_matched=matched,
    )


def users_named(text: str) -> QuerySet[Any]:
    """Return the users whose user name or e-mail address has ``text`` in it, in any case; all of one if it is whole."""
    users = get_user_model()._default_manager.all()
    whole = users.filter(username=text)
    return whole if whole.exists() else users.filter(Q(username__icontains=text) | Q(email__icontains=text))


class _Row(NamedTuple):
    day: date
    template: str
    currency: str
    used: Used


def _by_day_and_template(days: QuerySet[UsageDay]) -> list[_Row]:
    sums = days.order_by().values_list("day", "template", "currency").annotate(*map(Sum, COUNTED))
    return [_Row(day, template, currency, Used(*used)) for day, template, currency, *used in sums]


def _by_owner(days: QuerySet[UsageDay], *, currency: str) -> list[Share]:
    sums = {f"sum_{name}": Sum(name) for name in COUNTED}
    cost = Sum("cost", filter=Q(currency=currency), default=0.0)
    # Names are looked up afterwards: joined, there would be one for each row that is added up.
    grouped: QuerySet[Any, Any] = days.order_by().values("owner_id").annotate(**{**sums, "sum_cost": cost})
    rows = list(grouped.order_by("-sum_cost", "-sum_renders", "owner_id")[:ROWS])
    names = get_user_model()._default_manager.in_bulk([row["owner_id"] for row in rows if row["owner_id"]])
    return [
        Share(
            key=row["owner_id"],
            name=names[row["owner_id"]].get_username() if row["owner_id"] else "",
            used=Used(*(row[f"sum_{name}"] for name in COUNTED)),
        )
        for row in rows
    ]


def _cost_first(used: Used) -> tuple[float, int]:
    return -used.cost, -used.renders
