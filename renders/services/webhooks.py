"""Taking what Remotion's webhook delivers: news that there is something to read.

A delivery changes no status by itself. It leads to the row, which takes its renderId if its start
was in doubt, and is read from S3 at once by the same refresh as always. So it may be repeated,
late, out of order or lost.
"""

import contextlib
import logging
import uuid
from collections.abc import Mapping
from datetime import datetime
from functools import partial

from django.db import IntegrityError
from django.utils import timezone

from renders.models import IllegalTransition, Render, WebhookDelivery
from renders.remotion.client import StartedRender
from renders.remotion.config import RemotionConfig
from renders.remotion.errors import RemotionError
from renders.remotion.webhook import SIGNATURE_HEADER, Event, NotADelivery, read_event, why_unverified
from renders.services.control import Conflict
from renders.services.refresh import refresh_renders
from renders.services.rows import change, take_start

logger = logging.getLogger(__name__)

KEPT_HEADERS = (
    "Content-Type",
    "Content-Length",
    "User-Agent",
    "X-Remotion-Mode",
    SIGNATURE_HEADER,
    "X-Remotion-Status",
)
LONGEST_HEADER = 255

MOST_REJECTED = 1000
"""Deliveries without our signature that are kept, the newest: strangers cannot fill the table."""

UNKNOWN = "There is no render of ours that it could be about."


class NotVerified(Exception):
    """The delivery does not carry our signature."""


def take_delivery(*, headers: Mapping[str, str], body: bytes) -> WebhookDelivery:
    """Verifies a delivery, keeps it, handles it, and returns it with what came of it.

    Raises NotVerified where it is not signed with one of our secrets: then nothing of its body is
    looked at or kept.
    """
    kept = {name: headers[name][:LONGEST_HEADER].replace("\0", "") for name in KEPT_HEADERS if name in headers}
    secrets = RemotionConfig.from_settings().webhook_secrets
    if why := why_unverified(body, signature=headers.get(SIGNATURE_HEADER, ""), secrets=secrets):
        WebhookDelivery.objects.create(headers=kept, valid=False, error=why)
        _forget_rejected()
        raise NotVerified("The signature is missing or wrong.")
    text = body.decode(errors="replace").replace("\0", "\ufffd")
    return process_delivery(WebhookDelivery.objects.create(headers=kept, body=text, valid=True))


def process_delivery(delivery: WebhookDelivery) -> WebhookDelivery:
    """Handles a delivery that was verified, for the first time or again, and keeps what came of it.

    What is wrong with it, or with S3, is in its ``error`` and not raised. Raises Conflict for one
    that was rejected.
    """
    if not delivery.valid:
        raise Conflict("The delivery was rejected: it is not known to be Remotion's, and its body was not kept.")
    try:
        delivery.error = _handle(read_event(delivery.body))
        delivery.processed = True
    except (RemotionError, NotADelivery) as err:
        delivery.error = str(err)
        delivery.processed = False
    delivery.processed_at = timezone.now()
    delivery.save(update_fields=("error", "processed", "processed_at"))
    return delivery


def forget_deliveries(*, before: datetime) -> int:
    """Deletes the deliveries received before then; how many those were."""
    return WebhookDelivery.objects.filter(received_at__lt=before).delete()[0]


def _handle(event: Event) -> str:
    """Reads the render that the event is about; why it did nothing, if so. Raises RemotionError."""
    render = Render.objects.filter(bucket_name=event.bucket_name, render_id=event.render_id).first()
    if render is None:
        claimed = _claimed(event)
        if claimed is None:
            return UNKNOWN
        try:
            started = StartedRender(render_id=event.render_id, bucket_name=event.bucket_name)
            render = change(claimed.pk, partial(take_start, started=started))
        except Render.DoesNotExist:
            return UNKNOWN
        except (IllegalTransition, IntegrityError):
            why = f"The render {claimed.id}, which is {claimed.status}, cannot take the renderId {event.render_id}."
            logger.warning(why)  # it may be a second one that is paid
            return why
        logger.info("Render %s is %s in %s: told by a webhook.", render.id, render.render_id, render.bucket_name)
    (result,) = refresh_renders([render])
    if result.error:
        raise result.error
    return ""


def _claimed(event: Event) -> Render | None:
    """The row that the custom data names: of use only where no row has the renderId."""
    with contextlib.suppress(ValueError):
        return Render.objects.filter(pk=uuid.UUID(event.our_id)).first()
    return None


def _forget_rejected() -> None:
    rejected = WebhookDelivery.objects.rejected().order_by("-pk")
    if newest_too_many := rejected.values_list("pk", flat=True)[MOST_REJECTED:].first():
        WebhookDelivery.objects.rejected().filter(pk__lte=newest_too_many).delete()
