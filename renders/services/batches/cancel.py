"""Cancel what is left of a batch."""

from functools import partial

from django.utils import timezone

from renders.models import Batch, Render, transitions
from renders.services.refresh.apply import change_renders


def cancel_batch(batch: Batch) -> Batch:
    """Cancel its queued renders at once, and note for those that run that they shall be cancelled.

    The refresh that is due for each within a second asks Remotion. What has ended stays as it is; called again, it
    changes nothing. Return the batch as it is then.
    """
    now = timezone.now()
    # A transaction of its own: whoever ends renders locks them first and their batch afterwards.
    Batch.objects.filter(pk=batch.pk, cancel_requested_at=None).update(cancel_requested_at=now)
    active = Render.objects.active().filter(batch__isnull=False, batch=batch)
    change_renders(active, partial(transitions.request_cancel, at=now))
    batch.refresh_from_db()
    return batch
