"""A batch is complete when the last of its renders has ended."""

from collections.abc import Collection
from uuid import UUID

from django.utils import timezone

from renders.models import Batch, Event, Render
from renders.services.batches.totals import batch_data


def complete_batches(ids: Collection[UUID]) -> list[Batch]:
    """Mark those of these batches complete of which no render is active any more, and return them.

    Call it in the transaction that ends renders of theirs, when the rows are saved. Of two such transactions, the
    second waits for the row of the batch and then sees what the first has ended: so each batch completes once. A
    render that recovers later changes nothing.
    """
    incomplete = Batch.objects.lock_incomplete(ids) if ids else []
    if not incomplete:
        return []
    in_batch = Render.objects.active().filter(batch__isnull=False, batch__in=[batch.pk for batch in incomplete])
    unfinished = set(in_batch.order_by().values_list("batch_id", flat=True))
    completed = [batch for batch in incomplete if batch.pk not in unfinished]
    for batch in completed:
        batch.completed_at = timezone.now()
        batch.save(update_fields=["completed_at"])
    return completed


def completed_event(batch: Batch) -> Event:
    """Return the event of a batch that has just been completed; it is not saved."""
    return Event(type=Event.Type.BATCH_COMPLETED, owner_id=batch.owner_id, batch=batch, data=batch_data(batch))
