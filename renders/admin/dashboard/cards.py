"""The dashboard's numbers, each with what it links to."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.html import format_html

from renders.admin.dashboard.links import link, renders_address, usage_address
from renders.admin.display import NOTHING, duration, elapsed, money, seconds, share
from renders.admin.links import address_of
from renders.models import Render
from renders.services.statistics.costs import Costs
from renders.services.statistics.current import Current
from renders.services.statistics.outcomes import Outcomes
from renders.services.statistics.period import Period
from renders.services.statistics.workers import Workers


@dataclass(frozen=True)
class Card:
    """A number, its link, and sentences about it, which may be HTML."""

    title: str
    value: str
    address: str = ""
    notes: Sequence[str] = ()
    bar: float | None = None
    """0 to 1, shown as a bar."""


def cards_of_now(request: HttpRequest, current: Current, workers: Workers, *, failed_today: int) -> list[Card]:
    status = Render.Status
    starting = renders_address(request, status__exact=status.SUBMITTING.value)
    return [
        Card(
            "Rendering",
            f"{current.rendering:,}",
            renders_address(request, status__exact=status.RENDERING.value),
            [link(starting, f"{current.submitting:,} starting")] if current.submitting else (),
        ),
        Card("Waiting", f"{current.queued:,}", renders_address(request, status__exact=status.QUEUED.value)),
        _oldest_waiting(request, current),
        _slots(request, current),
        Card("Failed today", f"{failed_today:,}", renders_address(request, tab="failed-today"), ["Since 00:00 UTC"]),
        _workers(workers),
    ]


def cards_of_period(request: HttpRequest, period: Period, costs: Costs, outcomes: Outcomes | None) -> list[Card]:
    """Return the cards; without ``outcomes``, those that are counted by owner."""
    total = costs.total
    failed = f"{total.failed:,} failed, {total.cancelled:,} cancelled"
    others = [f"and {money(cost, currency)}" for currency, cost in costs.other_costs.items()]
    # Several owners have no common filter in the lists.
    of_owner: dict[str, object] = {}
    if costs.owners_matched == 1 and costs.by_owner:
        of_owner = {"owner__id__exact": costs.by_owner[0].key}
    has_link = costs.owners_matched is None or bool(of_owner)
    all_renders = renders_address(request, period, **of_owner) if has_link else ""
    usage = usage_address(request, period, **of_owner) if has_link else ""
    cards = [
        Card("Cost", money(total.cost, costs.currency), usage, ["Remotion's estimate of AWS Lambda", *others]),
        Card("Ended", f"{total.renders:,}", all_renders, [failed]),
        Card("Success rate", share(total.success_rate), notes=["Cancelled ones do not count"]),
        Card("Video made", duration(total.video_seconds)),
    ]
    if outcomes:
        cards += [
            Card("Median render time", seconds(outcomes.times.median), notes=["Videos that succeeded"]),
            Card("95 of 100 within", seconds(outcomes.times.p95), notes=["p95 of the same"]),
        ]
    return cards


def _oldest_waiting(request: HttpRequest, current: Current) -> Card:
    oldest = current.oldest_queued
    if oldest is None:
        return Card("Oldest waiting", NOTHING, notes=["Nothing waits"])
    return Card("Oldest waiting", elapsed(oldest.created_at), address_of(request, oldest), [f"{str(oldest.pk)[:8]}…"])


def _slots(request: HttpRequest, current: Current) -> Card:
    by_region = current.slots_by_region if len(current.slots_by_region) > 1 else {}
    notes = [f"of {current.slots:,}", *(f"{region}: {used:,}" for region, used in sorted(by_region.items()))]
    bar = min(1.0, current.slots_used / current.slots)
    return Card("Slots in use", f"{current.slots_used:,}", renders_address(request, tab="active"), notes, bar)


def _workers(workers: Workers) -> Card:
    if workers.alive:
        seen = format_html("Heard of {} ago", elapsed(workers.alive[0].seen_at))
        return Card("Workers", f"{len(workers.alive):,}", "#workers", [seen])
    if workers.are_rounds:
        ago = format_html("Last round {} ago", elapsed(workers.known[0].seen_at))
        return Card("Workers", "in rounds", "#workers", [ago])
    return Card("Workers", "none", "#workers", ["Nothing starts or is refreshed"])
