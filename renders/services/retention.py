"""Delete renders that have ended, with their files if asked for, and old webhook deliveries."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from renders.models import Render, RenderQuerySet, WebhookDelivery
from renders.remotion import storage
from renders.remotion.target import LambdaTarget
from renders.services.errors import Conflict
from renders.services.idempotency import IDEMPOTENCY_KEY_TTL, RESERVED_KEY_PREFIX


def purgeable_renders(*, ended_before: datetime) -> RenderQuerySet:
    """Return the renders that ended before then and that no idempotency key still leads to."""
    return Render.objects.ended_before(ended_before).exclude(_has_good_key())


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
    with transaction.atomic():
        # Locked before the rows that refer to it, in the same order as everywhere else.
        ended = Render.objects.filter(pk=render.pk, finished_at__isnull=False)
        if ended.select_for_update().exists():
            _require_ended_poster(render)
            ended.delete()
    return deleted


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


def delete_deliveries(*, before: datetime) -> int:
    """Delete the webhook deliveries received before then, and return how many."""
    return WebhookDelivery.objects.filter(received_at__lt=before).delete()[0]
