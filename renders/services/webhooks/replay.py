"""Send messages by hand: a ping, and messages again that were sent before."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from renders.models import Event, Render, WebhookEndpoint, WebhookMessage, WebhookMessageQuerySet
from renders.services.errors import Conflict
from renders.services.webhooks.body import PING

Status = WebhookMessage.Status
DISABLED = 'The endpoint is disabled: enable it first, with PATCH {"enabled": true}.'
NO_URL = "This endpoint stands for the webhookUrl of your renders and has no URL of its own to ping."
IS_PENDING = "The message is still being delivered: its next attempt comes by itself."


def ping(endpoint: WebhookEndpoint) -> WebhookMessage:
    """Queue a message of the type ``ping``. Raise Conflict if the endpoint is disabled or has no URL."""
    if endpoint.is_for_render_urls:
        raise Conflict(NO_URL)
    if not endpoint.enabled:
        raise Conflict(DISABLED)
    return WebhookMessage.objects.create(endpoint=endpoint, url=endpoint.url, type=PING)


def replay(message: WebhookMessage) -> WebhookMessage:
    """Queue a message again, under its id, and return it. Raise Conflict if it waits, or its endpoint is disabled."""
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.lock([message.endpoint_id])[message.endpoint_id]
        if not endpoint.enabled:
            raise Conflict(DISABLED)
        if not _queue_again(endpoint, endpoint.messages.filter(pk=message.pk), (Status.FAILED, Status.DELIVERED)):
            raise Conflict(IS_PENDING)
    message.refresh_from_db()
    return message


def replay_failed(endpoint: WebhookEndpoint, *, since: datetime) -> int:
    """Queue all messages again that were made since then and have failed; return how many. Raise Conflict."""
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.lock([endpoint.pk])[endpoint.pk]
        if not endpoint.enabled:
            raise Conflict(DISABLED)
        return _queue_again(endpoint, endpoint.messages.filter(created_at__gte=since), (Status.FAILED,))


def replay_last_event(render: Render) -> tuple[list[WebhookMessage], list[tuple[WebhookMessage, Conflict]]]:
    """Queue all messages again that tell the last event of a render, and return those, and those refused with why."""
    told = WebhookMessage.objects.filter(render=render).exclude(type=Event.Type.PROGRESSED)
    last = told.order_by("-event_id").values_list("event_id", flat=True).first()
    queued, refused = [], []
    for message in told.filter(event=last).order_by("id"):
        try:
            queued.append(replay(message))
        except Conflict as err:
            refused.append((message, err))
    return queued, refused


def _queue_again(endpoint: WebhookEndpoint, messages: WebhookMessageQuerySet, statuses: Collection[str]) -> int:
    """Make messages of these statuses pending, with all their attempts before them; return how many."""
    fields = {"status": Status.PENDING, "attempt_count": 0, "next_attempt_at": timezone.now(), "finished_at": None}
    if endpoint.url:
        fields["url"] = endpoint.url
    return messages.filter(status__in=statuses).update(**fields)
