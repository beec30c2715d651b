"""Quotas: what an owner may use, and what is refused because of it, before anything is paid."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.utils import timezone

from renders.models import Quota, Render
from renders.services.errors import CostQuotaExceeded, PriorityTooHigh, TooManyWaiting
from renders.services.json_schema.values import counted
from renders.services.usage.estimate import Rates
from renders.services.usage.spending import cost_of_active, cost_this_month

LEAST_COST = 1e-9
"""What is less is nothing: a remainder of sums."""


def quota_of(owner: Any) -> Quota | None:
    """Return the limits of ``owner`` (a user or None): their own quota, else everybody else's; None without any."""
    return Quota.objects.applying_to(owner).first()


def function_limits(owner_ids: Iterable[int | None]) -> dict[int | None, int | None]:
    """Return for each of these owners how many slots they may use at once; None without a limit."""
    wanted = set(owner_ids)
    quotas = Quota.objects.filter(Q(owner__in=wanted - {None}) | Q(owner=None))
    limits: dict[int | None, int | None] = dict(quotas.values_list("owner_id", "max_functions"))
    return {owner_id: limits.get(owner_id, limits.get(None)) for owner_id in wanted}


def default_priority(quota: Quota | None) -> int:
    """Return the priority of a render for which none was sent: 0, or the highest that is allowed if that is less."""
    return capped_priority(0, quota)


def capped_priority(priority: int, quota: Quota | None) -> int:
    """Return ``priority``, or the highest that is allowed if that is less."""
    return priority if quota is None or quota.max_priority is None else min(priority, quota.max_priority)


def require_priority(priority: int, quota: Quota | None) -> None:
    """Raise PriorityTooHigh if the owner's renders may not have this priority."""
    if priority > (highest := capped_priority(priority, quota)):
        raise PriorityTooHigh(f"The highest priority that you may send is {highest}: send {highest} or less.")


def require_place_in_queue(owner: Any, quota: Quota | None, *, count: int = 1) -> None:
    """Raise TooManyWaiting if the owner may not have so many more renders queued. Call it under the admission lock."""
    if quota is None or quota.max_waiting is None:
        return
    waiting = Render.objects.queued().filter(owner=owner).count()
    if waiting + count > quota.max_waiting:
        asked = "this one" if count == 1 else f"these {count:,}"
        are_queued = f"{counted(waiting, 'render')} {_whose(owner)} {'is' if waiting == 1 else 'are'} queued"
        advice = "try again when some have started" if count <= quota.max_waiting else "ask for fewer at once"
        raise TooManyWaiting(
            f"{are_queued} and {quota.max_waiting:,} may be, so {asked} cannot wait too:"
            f" {advice if quota.max_waiting else 'ask for a higher limit'}."
        )


def require_budget(owner: Any, quota: Quota | None, renders: Iterable[Render]) -> None:
    """Raise CostQuotaExceeded if new renders may cost more than the owner may spend this month.

    Counted are what ended this month, what is active, by its cost so far or its estimate, and the estimate of
    ``renders``, which are not saved yet. Call it under the admission lock.
    """
    if quota is None or quota.max_cost_per_month is None:
        return
    rates = Rates()
    # In this order: a render that ends meanwhile is counted twice, rather than not at all.
    reserved = cost_of_active(owner, rates)
    ended = cost_this_month(owner)
    estimate = sum(rates.estimate(render) or 0 for render in renders)
    limit, used = quota.max_cost_per_month, ended + reserved
    if used >= limit or used + estimate > limit:
        may, spent, expected, more = _amounts(limit, ended, reserved, estimate, currency=rates.currency or "USD")
        raise CostQuotaExceeded(
            f"Renders {_whose(owner)} may cost {may} a month: {spent} have been spent in {timezone.now():%B},"
            f" {expected} are expected for renders that run or wait, and {more} for this request. Wait until next month"
            " (UTC), or ask for a higher limit."
        )


def _whose(owner: Any) -> str:
    """Return whose renders they are, by name: who reads it may have asked for somebody else."""
    return f"of {owner.get_username()}" if owner else "without an owner"


def _amounts(*costs: float, currency: str) -> list[str]:
    """Return costs that are compared, all with as many decimals: four where one is less than a cent."""
    decimals = 2 if all(cost >= 0.01 or cost < LEAST_COST for cost in costs) else 4
    return [
        f"under 0.0001 {currency}" if LEAST_COST <= cost < 0.0001 else f"{cost:,.{decimals}f} {currency}"
        for cost in costs
    ]
