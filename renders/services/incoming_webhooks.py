"""Receive Remotion's webhook deliveries: news that a render can be read.

A delivery changes no status by itself. The row that it names takes the renderId if its start was
unconfirmed, and is refreshed at once, as any other. So a delivery may be repeated, late, out of
order or lost.
"""

import contextlib
import logging
from collections.abc import Mapping, Sequence
from functools import partial

from django.db import IntegrityError
from django.utils import timezone

from renders.models import Render, WebhookDelivery, transitions
from renders.remotion.start import StartedRender
from renders.remotion.webhook import SIGNATURE_HEADER, Event, NotADelivery, WebhookSettings, read_event, why_unverified
from renders.services.answers import mark_started
from renders.services.errors import NotVerified
from renders.services.log_throttle import LogThrottle
from renders.services.refresh.apply import change_render
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

UNKNOWN_RENDER = "No render of ours has this renderId."

_rejected = LogThrottle(logger)
"""Each reason for a rejection is logged once a minute, so that strangers can hide no other reason."""


class _NothingToDo(Exception):
    """The delivery names no row that can be refreshed; the message says why."""


def receive_delivery(*, headers: Mapping[str, str], body: bytes) -> WebhookDelivery:
    """Verify a delivery, store it, process it, and return it with the result.

    Raise NotVerified if it is not signed with one of our secrets; it is then counted in the log,
    and neither parsed nor stored.
    """
    secrets = WebhookSettings.from_settings().secrets
    if why := why_unverified(body, signature=headers.get(SIGNATURE_HEADER, ""), secrets=secrets):
        _rejected.log(logging.WARNING, f"A webhook delivery was rejected. {why}")
        raise NotVerified("The signature is missing or wrong.")
    _rejected.flush()
    kept = {name: headers[name][:MAX_HEADER_LENGTH].replace("\0", "") for name in KEPT_HEADERS if name in headers}
    delivery = WebhookDelivery(headers=kept, body=body.decode(errors="replace").replace("\0", "\ufffd"))
    with contextlib.suppress(NotADelivery):
        event = read_event(delivery.body)
        delivery.render_id, delivery.our_id = event.render_id, event.our_id
    delivery.save()
    process_deliveries([delivery])
    return delivery


def process_deliveries(deliveries: Sequence[WebhookDelivery]) -> None:
    """Process deliveries, for the first time or again, and store the result of each in its row.

    The renders that they name are refreshed together. What is wrong with a delivery, or with S3, is
    stored in its ``error`` and not raised.
    """
    renders: dict[int, Render] = {}
    for delivery in deliveries:
        delivery.is_processed, delivery.error = True, ""
        try:
            renders[delivery.pk] = _named_render(read_event(delivery.body))
        except _NothingToDo as err:
            delivery.error = str(err)
        except NotADelivery as err:
            delivery.is_processed, delivery.error = False, str(err)
    errors = {result.render.pk: result.error for result in refresh_renders(dict.fromkeys(renders.values()))}
    for delivery in deliveries:
        render = renders.get(delivery.pk)
        if render and (error := errors[render.pk]):
            delivery.is_processed, delivery.error = False, str(error)
        delivery.processed_at = timezone.now()
    WebhookDelivery.objects.bulk_update(deliveries, ("is_processed", "processed_at", "error"))


def _named_render(event: Event) -> Render:
    """Return the row of the render that the event names, with its renderId. Raise _NothingToDo."""
    if render := Render.objects.with_render_id(event.render_id).filter(bucket_name=event.bucket_name).first():
        return render
    named = Render.objects.filter(pk=event.our_id).first() if event.our_id else None
    if named is None:
        raise _NothingToDo(UNKNOWN_RENDER)
    started = StartedRender(render_id=event.render_id, bucket_name=event.bucket_name)
    try:
        render = change_render(named.pk, partial(mark_started, started=started))
    except Render.DoesNotExist as err:
        raise _NothingToDo(UNKNOWN_RENDER) from err
    except (transitions.IllegalTransition, IntegrityError) as err:
        why = f"The render {named.id}, which is {named.status}, cannot take the renderId {event.render_id}."
        logger.warning(why)  # it may be a second render that is paid
        raise _NothingToDo(why) from err
    said = "Render %s is %s in %s: named by a webhook."
    logger.info(said, render.id, render.render_id, render.bucket_name, extra=render.log_fields)
    return render
