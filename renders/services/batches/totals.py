"""How far batches are, reckoned from their renders, and what an event says of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, F, Max, Sum, Value, When

from renders.models import Batch, Render
from renders.services.events.payload import as_text


@dataclass(frozen=True)
class Totals:
    """The renders of a batch together."""

    counts: dict[str, int]
    """How many have each status, 0 included."""
    progress: float
    """0 to 1: the mean over its renders; what has ended counts as 1. 1 without renders."""
    cost: float | None
    """Remotion's estimates so far; None if there is none yet."""
    currency: str

    @property
    def renders(self) -> int:
        return sum(self.counts.values())


def totals(batch: Batch) -> Totals:
    """Return the totals of a batch as its rows are now."""
    done = Case(When(status__in=Render.TERMINAL, then=Value(1.0)), default=F("progress"))
    of_status = Render.objects.of_batch(batch.pk).order_by().values("status")
    rows = list(of_status.annotate(count=Count("pk"), done=Sum(done), spent=Sum("cost"), money=Max("currency")))
    counts = _counts({row["status"]: row["count"] for row in rows})
    costs = [row["spent"] for row in rows if row["spent"] is not None]
    return Totals(
        counts=counts,
        progress=min(1.0, sum(row["done"] for row in rows) / sum(counts.values())) if rows else 1.0,
        cost=sum(costs) if costs else None,
        currency=max((row["money"] for row in rows), default=""),
    )


def counts_of(batches: Iterable[Batch]) -> dict[UUID, dict[str, int]]:
    """Return how many renders of each batch have each status, by one query that reads an index only."""
    ids = [batch.pk for batch in batches]
    found: dict[UUID, dict[str, int]] = {pk: {} for pk in ids}
    rows = Render.objects.filter(batch__isnull=False, batch__in=ids).order_by().values_list("batch_id", "status")
    for batch_id, status, count in rows.annotate(count=Count("*")):
        found[batch_id][status] = count
    return {pk: _counts(counts) for pk, counts in found.items()}


def batch_data(batch: Batch) -> dict[str, Any]:
    """Return the batch as it is now, for ``Event.data``, under the names of the API."""
    so_far = totals(batch)
    return {
        "id": str(batch.pk),
        "renders": so_far.renders,
        "counts": so_far.counts,
        "progress": so_far.progress,
        "cost": so_far.cost,
        "currency": so_far.currency,
        "createdAt": as_text(batch.created_at),
        "cancelRequestedAt": as_text(batch.cancel_requested_at),
        "completedAt": as_text(batch.completed_at),
    }


def _counts(found: dict[str, int]) -> dict[str, int]:
    return {status: found.get(status, 0) for status in Render.Status.values}
