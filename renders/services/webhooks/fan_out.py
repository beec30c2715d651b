"""Hand events on: to the Django signal, and as messages to the endpoints that want them."""

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from uuid import UUID

from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models import Exists, OuterRef

from renders.models import Event, EventCursor, Render, WebhookEndpoint, WebhookMessage
from renders.services.log_throttle import LogThrottle
from renders.signals import event_published

logger = logging.getLogger(__name__)

CURSOR = "webhooks"
BATCH_SIZE = 500
ENDS = (Event.Type.SUCCEEDED, Event.Type.FAILED, Event.Type.CANCELLED)
"""What a render's own ``webhookUrl`` is told."""

_throttle = LogThrottle(logger)


def hand_on() -> int:
    """Hand on the next events, and return how many; 0 if there are none, or another process does it now.

    One transaction inserts the messages and moves the cursor, so that each event is handed on once. Receivers of
    the signal are called in it: what they store is stored with it. One is called again if the process dies there.
    """
    if not _has_news():
        return 0
    with transaction.atomic():
        cursor = EventCursor.objects.select_for_update(skip_locked=True).filter(name=CURSOR).first()
        if cursor is None:
            return 0
        events = list(Event.objects.filter(id__gt=cursor.last_event_id).order_by("id")[:BATCH_SIZE])
        if events:
            _tell_receivers(events)
            WebhookMessage.objects.bulk_create(_messages(events))
            cursor.last_event_id = events[-1].pk
            cursor.save(update_fields=["last_event_id"])
    return len(events)


def _has_news() -> bool:
    """Return whether there are events after the cursor: what an idle worker asks, without a transaction."""
    cursor = EventCursor.objects.filter(name=CURSOR)
    news = cursor.annotate(has_news=Exists(Event.objects.filter(id__gt=OuterRef("last_event_id"))))
    has_news = news.values_list("has_news", flat=True).first()
    if has_news is None:
        EventCursor.objects.get_or_create(name=CURSOR)
        return Event.objects.exists()
    return has_news


def _tell_receivers(events: Sequence[Event]) -> None:
    """Send the signal for each event; a receiver that fails is logged and keeps nothing from going on."""
    if not event_published.receivers:
        return
    for event in events:
        try:
            with transaction.atomic():  # so that a statement of a receiver that fails spoils no other
                failures = [answer for _, answer in event_published.send_robust(Event, event=event)]
        except DatabaseError as err:
            failures = [err]
        for failure in failures:
            if isinstance(failure, Exception):
                _throttle.log(logging.ERROR, f"A receiver of event_published failed: {failure!r}", exc_info=failure)


def _messages(events: Sequence[Event]) -> Iterator[WebhookMessage]:
    """Yield the messages in the order of their events."""
    endpoints = _endpoints_of({event.owner_id for event in events})
    urls = _render_urls({event.render_id for event in events if event.type in ENDS and event.render_id})
    for event in events:
        url = urls.get(event.render_id) if event.render_id and event.type in ENDS else None
        for endpoint in endpoints.get(event.owner_id, ()):
            if not endpoint.is_for_render_urls and endpoint.wants(event.type):
                yield _message(event, endpoint, endpoint.url)
            elif endpoint.is_for_render_urls and url:
                yield _message(event, endpoint, url)


def _message(event: Event, endpoint: WebhookEndpoint, url: str) -> WebhookMessage:
    return WebhookMessage(endpoint=endpoint, event=event, render_id=event.render_id, url=url, type=event.type)


def _endpoints_of(owner_ids: set[int | None]) -> dict[int | None, list[WebhookEndpoint]]:
    """Return the enabled endpoints of each owner, locked. A render without an owner has none.

    Who disables or deletes one meanwhile waits, and then ends the messages that are inserted here too.
    """
    found: dict[int | None, list[WebhookEndpoint]] = defaultdict(list)
    enabled = WebhookEndpoint.objects.filter(owner__in=owner_ids - {None}, enabled=True)
    endpoints = enabled.select_for_update(no_key=True).order_by("pk")
    for endpoint in sorted(endpoints, key=lambda endpoint: endpoint.created_at):
        found[endpoint.owner_id].append(endpoint)
    return found


def _render_urls(render_ids: set[UUID]) -> dict[UUID, str]:
    renders = Render.objects.filter(pk__in=render_ids).exclude(webhook_url="").order_by()
    return dict(renders.values_list("pk", "webhook_url"))
