"""Delete renders that have ended, with their files if asked for, and old webhook deliveries."""

from datetime import datetime

from django.db import transaction

from renders.models import Render, WebhookDelivery
from renders.remotion import storage
from renders.remotion.target import LambdaTarget
from renders.services.errors import Conflict


def delete_render(render: Render, *, remote: bool = False) -> int:
    """Delete the row of an ended render; if ``remote``, its files on S3 first. Return how many those were.

    Raise Conflict while the render is active; SetupError or Unavailable, with the row kept, if its
    files cannot be deleted.
    """
    if not render.is_terminal:
        raise Conflict(f"The render is {render.status}: cancel it first.")
    deleted = _delete_files(render) if remote else 0
    with transaction.atomic():
        # Locked before the rows that refer to it, in the same order as everywhere else.
        ended = Render.objects.filter(pk=render.pk, finished_at__isnull=False)
        if ended.select_for_update().exists():
            ended.delete()
    return deleted


def _delete_files(render: Render) -> int:
    target = LambdaTarget.in_region(render.region)
    deleted = 0
    if render.render_id:
        deleted += storage.delete_render_files(target, bucket_name=render.bucket_name, render_id=render.render_id)
    # The function and the upload choose the same bucket. Without a renderId, its choice is not known.
    used = render.configured_bucket or render.bucket_name
    for bucket_name in [used] if used else storage.list_buckets(target):
        deleted += storage.delete_input_props(target, bucket_name=bucket_name, name=str(render.id))
    return deleted


def delete_deliveries(*, before: datetime) -> int:
    """Delete the webhook deliveries received before then, and return how many."""
    return WebhookDelivery.objects.filter(received_at__lt=before).delete()[0]
