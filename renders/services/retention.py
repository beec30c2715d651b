"""Delete renders that have ended, with their files if asked for, and old webhook deliveries."""

from datetime import datetime

from django.db import transaction

from renders.models import Render, WebhookDelivery
from renders.remotion import storage
from renders.remotion.target import LambdaTarget
from renders.services.errors import Conflict


def delete_render(render: Render, *, remote: bool = False) -> int:
    """Delete the row of an ended render; if ``remote``, its files on S3 first. Return how many those were.

    Raise Conflict while it is active; SetupError or Unavailable, with the row kept, if its files
    cannot be deleted.
    """
    if not render.is_terminal:
        raise Conflict(f"The render is {render.status}: cancel it first.")
    deleted = 0
    if remote and render.render_id:
        target = LambdaTarget.in_region(render.region)
        deleted = storage.delete_render_files(target, bucket_name=render.bucket_name, render_id=render.render_id)
    with transaction.atomic():
        # Locked before the rows that refer to it, in the same order as everywhere else.
        ended = Render.objects.filter(pk=render.pk, finished_at__isnull=False)
        if ended.select_for_update().exists():
            ended.delete()
    return deleted


def delete_deliveries(*, before: datetime) -> int:
    """Delete the webhook deliveries received before then, and return how many."""
    return WebhookDelivery.objects.filter(received_at__lt=before).delete()[0]
