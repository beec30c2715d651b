"""Receive Remotion's webhook deliveries: news that a render can be read.

A delivery changes no status by itself. It leads to its row, which takes the renderId if its start
was unconfirmed, and is refreshed at once as always. So a delivery may be repeated, late, out of
order or lost.
"""

import contextlib
import logging
import uuid
from collections.abc import Mapping
from functools import partial

from django.db import IntegrityError
from django.utils import timezone

from renders.models import Render, WebhookDelivery, transitions
from renders.remotion.errors import RemotionError
from renders.remotion.start import StartedRender
from renders.remotion.webhook import SIGNATURE_HEADER, Event, NotADelivery, WebhookSettings, read_event, why_unverified
from renders.services.errors import Conflict, NotVerified
from renders.services.refresh.apply import change_render, mark_started
from renders.services.refresh.engine import refresh_renders

logger = logging.getLogger(__name__)

KEPT_HEADERS = (
    "Content-Type",
    "Content-Length",
    "User-Agent",
    "X-Remotion-Mode",
    SIGNATURE_HEADER,
    "X-Remotion-Status",
)
MAX_HEADER_LENGTH = 255

MAX_REJECTED = 1000
"""Rejected deliveries that are kept, the newest, so that strangers cannot fill the table."""

UNKNOWN_RENDER = "No render of ours has this renderId."


def receive_delivery(*, headers: Mapping[str, str], body: bytes) -> WebhookDelivery:
    """Verify a delivery, store it, process it, and return it with the result.

    Raise NotVerified if it is not signed with one of our secrets; its body is then neither parsed
    nor stored.
    """
    kept = {name: headers[name][:MAX_HEADER_LENGTH].replace("\0", "") for name in KEPT_HEADERS if name in headers}
    secrets = WebhookSettings.from_settings().secrets
    if why := why_unverified(body, signature=headers.get(SIGNATURE_HEADER, ""), secrets=secrets):
        WebhookDelivery.objects.create(headers=kept, valid=False, error=why)
        _delete_oldest_rejected()
        raise NotVerified("The signature is missing or wrong.")
    text = body.decode(errors="replace").replace("\0", "\ufffd")
    return process_delivery(WebhookDelivery.objects.create(headers=kept, body=text, valid=True))


def process_delivery(delivery: WebhookDelivery) -> WebhookDelivery:
    """Process a verified delivery, for the first time or again, and store the result.

    What is wrong with it, or with S3, is stored in its ``error`` and not raised. Raise Conflict for
    one that was rejected.
    """
    if not delivery.valid:
        raise Conflict("The delivery was rejected: it is not known to be Remotion's, and its body was not kept.")
    try:
        delivery.error = _refresh_named_render(read_event(delivery.body))
        delivery.processed = True
    except (RemotionError, NotADelivery) as err:
        delivery.error = str(err)
        delivery.processed = False
    delivery.processed_at = timezone.now()
    delivery.save(update_fields=("error", "processed", "processed_at"))
    return delivery


def _refresh_named_render(event: Event) -> str:
    """Refresh the render that the event names. Return why nothing was done, if so. Raise RemotionError."""
    render = Render.objects.filter(bucket_name=event.bucket_name, render_id=event.render_id).first()
    if render is None:
        named = _named_by_custom_data(event)
        if named is None:
            return UNKNOWN_RENDER
        try:
            started = StartedRender(render_id=event.render_id, bucket_name=event.bucket_name)
            render = change_render(named.pk, partial(mark_started, started=started))
        except Render.DoesNotExist:
            return UNKNOWN_RENDER
        except (transitions.IllegalTransition, IntegrityError):
            why = f"The render {named.id}, which is {named.status}, cannot take the renderId {event.render_id}."
            logger.warning(why)  # it may be a second render that is paid
            return why
        logger.info("Render %s is %s in %s: named by a webhook.", render.id, render.render_id, render.bucket_name)
    (result,) = refresh_renders([render])
    if result.error:
        raise result.error
    return ""


def _named_by_custom_data(event: Event) -> Render | None:
    """Return the row whose id is in the custom data; used only if no row has the renderId."""
    with contextlib.suppress(ValueError):
        return Render.objects.filter(pk=uuid.UUID(event.our_id)).first()
    return None


def _delete_oldest_rejected() -> None:
    rejected = WebhookDelivery.objects.rejected().order_by("-pk")
    if first_to_go := rejected.values_list("pk", flat=True)[MAX_REJECTED:].first():
        WebhookDelivery.objects.rejected().filter(pk__lte=first_to_go).delete()
