"""Deleting renders that are over, and their files."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from renders.models import Render
from renders.remotion import storage
from renders.remotion.config import RemotionConfig
from renders.services.control import Conflict
from renders.services.rows import config_of

KEYS_LAST = timedelta(days=7)


def delete_render(render: Render, *, remote: bool = False) -> int:
    """Deletes a render that is over, with ``remote`` its files on S3 first; how many those were.

    Raises Conflict while it is active, and SetupError or Unavailable, with the row kept, if its
    files cannot be deleted.
    """
    deleted = 0
    if not render.is_terminal:
        raise Conflict(f"The render is {render.status}: cancel it first.")
    if remote and render.render_id:
        config = config_of(render, RemotionConfig.from_settings())
        deleted = storage.delete_render(config, bucket_name=render.bucket_name, render_id=render.render_id)
    with transaction.atomic():
        # Locked before what hangs on it, in the order of everybody else.
        over = Render.objects.filter(pk=render.pk, finished_at__isnull=False)
        if over.select_for_update().exists():
            over.delete()
    return deleted


def forget_idempotency_keys(*, before: datetime | None = None) -> int:
    """Frees the keys of renders that are over and older than seven days; how many those were."""
    before = before or timezone.now() - KEYS_LAST
    used = Render.objects.exclude(idempotency_key="").filter(created_at__lt=before, finished_at__isnull=False)
    return used.update(idempotency_key="", idempotency_fingerprint="")
