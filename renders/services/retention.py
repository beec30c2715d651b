"""Delete renders that have ended, with their files if asked for, batches, old webhook deliveries and old events."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from renders.models import Batch, Event, EventCursor, Render, RenderQuerySet, WebhookDelivery, WebhookMessage
from renders.remotion import storage
from renders.remotion.target import LambdaTarget
from renders.services.errors import Conflict
from renders.services.idempotency import IDEMPOTENCY_KEY_TTL, RESERVED_KEY_PREFIX

ROWS_AT_A_TIME = 1000
"""Deleted in one transaction, so that nobody waits for long."""

DELETE_ATTEMPTS = 5


def purgeable_renders(*, ended_before: datetime) -> RenderQuerySet:
    """Return the renders that ended before then, that no idempotency key still leads to and no webhook has to tell."""
    told_of = WebhookMessage.objects.pending().filter(render__isnull=False).order_by().values("render")
    return Render.objects.ended_before(ended_before).exclude(_has_good_key()).exclude(pk__in=told_of)


def renders_kept_for_their_key(*, ended_before: datetime) -> RenderQuerySet:
    """Return the renders that ended before then and that a repeated request must still find."""
    return Render.objects.ended_before(ended_before).filter(_has_good_key())


def _has_good_key() -> Q:
    is_good = ~Q(idempotency_key="") & Q(created_at__gte=timezone.now() - IDEMPOTENCY_KEY_TTL)
    return is_good & ~Q(idempotency_key__startswith=RESERVED_KEY_PREFIX)


def delete_render(render: Render, *, remote: bool = False) -> int:
    """Delete the row of an ended render and that of its poster; if ``remote``, their files on S3 first.

    Return how many files those were. Raise Conflict while the render or its poster is active; SetupError or
    Unavailable, with the rows kept, if its files cannot be deleted.
    """
    if not render.is_terminal:
        raise Conflict(f"The render is {render.status}: cancel it first.")
    _require_ended_poster(render)
    deleted = sum(_delete_files(each) for each in (render, *render.posters.all())) if remote else 0
    for attempt in range(DELETE_ATTEMPTS):
        try:
            _delete_row(render)
            break
        except IntegrityError:
            # The worker has stored an attempt to deliver a message that is deleted.
            if attempt == DELETE_ATTEMPTS - 1:
                raise
    return deleted


def _delete_row(render: Render) -> None:
    with transaction.atomic():
        # Locked before the rows that refer to it, in the same order as everywhere else.
        ended = Render.objects.filter(pk=render.pk, finished_at__isnull=False)
        if ended.select_for_update().exists():
            _require_ended_poster(render)
            ended.delete()


def _require_ended_poster(render: Render) -> None:
    if poster := render.posters.active().first():
        raise Conflict(f"The render's poster, {poster.id}, is {poster.status}: cancel it first, or wait for its end.")


def _delete_files(render: Render) -> int:
    target = LambdaTarget.in_region(render.region)
    deleted = 0
    if render.render_id:
        deleted += storage.delete_render_files(target, bucket_name=render.bucket_name, render_id=render.render_id)
    return deleted + delete_input_props(render)


def delete_input_props(render: Render) -> int:
    """Delete the input props that a start of this render has uploaded; return 1, or 0 if there are none."""
    target = LambdaTarget.in_region(render.region)
    # The function and the upload choose the same bucket. Without a renderId, its choice is not known.
    used = render.configured_bucket or render.bucket_name
    buckets = [used] if used else storage.list_buckets(target)
    return sum(storage.delete_input_props(target, bucket_name=name, name=str(render.id)) for name in buckets)


def purgeable_batches(*, completed_before: datetime) -> QuerySet[Batch]:
    """Return the batches that were completed before then and of which no render is left.

    Those that an idempotency key still leads to, or that a webhook has still to tell of, are not among them.
    """
    left = Render.objects.of_batch(OuterRef("pk")).order_by()
    told = WebhookMessage.objects.pending().filter(event__batch=OuterRef("pk")).order_by()
    completed = Batch.objects.filter(completed_at__lt=completed_before)
    return completed.exclude(_has_good_key()).exclude(Exists(left)).exclude(Exists(told))


def delete_batches(*, completed_before: datetime) -> int:
    """Delete these batches with their events, and return how many."""
    return _delete_in_parts(purgeable_batches(completed_before=completed_before).order_by("completed_at"))


def delete_deliveries(*, before: datetime) -> int:
    """Delete the webhook deliveries received before then, and return how many."""
    return WebhookDelivery.objects.filter(received_at__lt=before).delete()[0]


def purgeable_events(*, before: datetime) -> QuerySet[Event]:
    """Return the events of before then that were handed on and that no message has still to tell."""
    handed_on = EventCursor.objects.values_list("last_event_id", flat=True)
    last = min(handed_on, default=0)
    pending = WebhookMessage.objects.pending().filter(event=OuterRef("pk"))
    return Event.objects.filter(created_at__lt=before, pk__lte=last).exclude(Exists(pending))


def delete_events(*, before: datetime) -> int:
    """Delete these events with their webhook messages and attempts, and old pings; return how many events."""
    pings = WebhookMessage.objects.filter(event__isnull=True, created_at__lt=before)
    pings.exclude(status=WebhookMessage.Status.PENDING).delete()
    return _delete_in_parts(purgeable_events(before=before).order_by("created_at"))


def _delete_in_parts(rows: QuerySet[Any]) -> int:
    deleted = 0
    while ids := list(rows.values_list("pk", flat=True)[:ROWS_AT_A_TIME]):
        rows.model._default_manager.filter(pk__in=ids).delete()
        deleted += len(ids)
    return deleted
