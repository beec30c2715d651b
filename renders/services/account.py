"""What an owner may use, uses, and has left."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Sum
from django.utils import timezone

from renders.models import Render, UsageDay
from renders.services.quotas import quota_of
from renders.services.slot_use import SlotUse
from renders.services.usage.estimate import Rates
from renders.services.usage.spending import cost_of_active, cost_this_month, first_of_month


@dataclass(frozen=True)
class Account:
    """Limits are None where there is none."""

    functions_used: int
    max_functions: int | None
    waiting: int
    max_waiting: int | None
    cost_ended: float
    """What the renders that ended this month have cost."""
    cost_active: float
    """What those that run or wait are expected to cost."""
    max_cost_per_month: float | None
    currency: str
    max_requests_per_minute: int | None
    max_priority: int | None


def account_of(owner: Any) -> Account:
    """Return the limits and the use of ``owner``, a user or None."""
    quota, rates = quota_of(owner), Rates()
    owner_id = owner.pk if owner else None
    return Account(
        functions_used=SlotUse(timezone.now()).by_owner.get(owner_id, 0),
        waiting=Render.objects.queued().filter(owner=owner).count(),
        cost_active=cost_of_active(owner, rates),
        cost_ended=cost_this_month(owner),
        currency=rates.currency,
        max_functions=quota.max_functions if quota else None,
        max_waiting=quota.max_waiting if quota else None,
        max_cost_per_month=quota.max_cost_per_month if quota else None,
        max_requests_per_minute=quota.max_requests_per_minute if quota else None,
        max_priority=quota.max_priority if quota else None,
    )


@dataclass(frozen=True)
class Use:
    """What an owner uses now, and what their renders that ended this month have cost."""

    functions: int = 0
    waiting: int = 0
    cost: float = 0


def use_of(owner_ids: Iterable[int]) -> dict[int, Use]:
    """Return what each of these owners uses, by three queries for all of them."""
    ids = list(owner_ids)
    queued = Render.objects.queued_with_owner(ids).order_by().values_list("owner_id")
    waiting: dict[int, int] = dict(queued.annotate(Count("pk")))
    days = UsageDay.objects.filter(owner__in=ids, day__gte=first_of_month()).order_by().values_list("owner_id")
    costs: dict[int, float] = dict(days.annotate(Sum("cost")))
    functions = SlotUse(timezone.now()).by_owner
    return {pk: Use(functions.get(pk, 0), waiting.get(pk, 0), costs.get(pk, 0)) for pk in ids}
