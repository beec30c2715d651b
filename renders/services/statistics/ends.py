"""Count renders when they end, by day, status, reason and render time."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime
from uuid import UUID

from django.utils import timezone

from renders.models import NO_BUCKET, EndCount, EndKey, Event, Render
from renders.services.statistics.render_times import bucket_of


def count_ends(renders: Iterable[Render], *, undone: Iterable[EndKey] = ()) -> None:
    """Add renders that have just ended to the counts, and take back ends that were ``undone``, in one statement.

    Call it in the transaction that ends them, under the lock of publishing.
    """
    counts = Counter(_key(render) for render in renders)
    counts.subtract(undone)
    EndCount.objects.add(counts)


def ends_to_undo(render_ids: Iterable[UUID], *, end_types: Iterable[str]) -> list[EndKey]:
    """Return how the last end of each of these renders was counted, by its event: they go on after all.

    Call it before the events of now are stored. An end whose event was purged is not found.
    """
    ids = list(render_ids)
    if not ids:
        return []
    ends = Event.objects.filter(render__in=ids, type__in=list(end_types)).order_by("id")
    last = dict(ends.values_list("render_id", "data"))
    return [
        EndKey(_day(datetime.fromisoformat(data["finishedAt"])), data["status"], data["failureReason"])
        for data in last.values()
    ]


def _key(render: Render) -> EndKey:
    day = _day(render.finished_at or timezone.now())
    is_timed = render.status == Render.Status.SUCCEEDED and render.kind == Render.Kind.VIDEO
    if is_timed and render.finished_at and render.submitted_at:
        bucket = bucket_of((render.finished_at - render.submitted_at).total_seconds())
        return EndKey(day, render.status, time_bucket=bucket)
    return EndKey(day, render.status, render.failure_reason, NO_BUCKET)


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()
