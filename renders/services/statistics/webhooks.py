"""Do webhooks work: those that the service sends, and those that Remotion sends."""

import statistics
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from renders.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookMessage

MOST = 10_000
"""What is more is not counted."""

NEWEST = 200
"""Attempts that the share of successes is of."""

FAILED_FOR = timedelta(days=7)
RECEIVED_FOR = timedelta(days=1)
UNDER_WAY = timedelta(minutes=1)
"""A delivery that came within this time may still be being processed, a message that is due still be being sent."""


@dataclass(frozen=True)
class Outgoing:
    """Messages to endpoints. Counts are at most ``MOST``."""

    pending: int
    overdue_since: datetime | None
    """When the first message was due that should have been sent by now."""
    failed: int
    """Messages that were given up within ``FAILED_FOR``."""
    attempts: int
    success_rate: float | None
    """Of the newest ``NEWEST`` attempts, 0 to 1."""
    median_ms: float | None
    endpoints: int
    failing_endpoints: int
    disabled_endpoints: int
    """Disabled by the service, because they failed."""


@dataclass(frozen=True)
class Incoming:
    """Deliveries from Remotion. Counts are at most ``MOST``."""

    is_set_up: bool
    newest_at: datetime | None
    received: int
    """Within ``RECEIVED_FOR``."""
    unprocessed: int


def outgoing() -> Outgoing:
    """Return how the service's own webhooks are doing."""
    now, messages = timezone.now(), WebhookMessage.objects
    attempts = list(WebhookAttempt.objects.order_by("-id").values_list("error", "duration_ms")[:NEWEST])
    due = min(messages.next_due().values(), default=None)
    endpoints = WebhookEndpoint.objects.aggregate(
        active=Count("pk", filter=Q(enabled=True)),
        failing=Count("pk", filter=Q(enabled=True, failing_since__isnull=False)),
        disabled=Count("pk", filter=Q(enabled=False) & ~Q(disabled_reason="")),
    )
    return Outgoing(
        pending=_count(messages.pending()),
        overdue_since=due if due and due < now - UNDER_WAY else None,
        failed=_count(messages.failed().filter(finished_at__gte=now - FAILED_FOR)),
        attempts=len(attempts),
        success_rate=sum(not error for error, _ in attempts) / len(attempts) if attempts else None,
        median_ms=statistics.median(duration for _, duration in attempts) if attempts else None,
        endpoints=endpoints["active"],
        failing_endpoints=endpoints["failing"],
        disabled_endpoints=endpoints["disabled"],
    )


def incoming() -> Incoming:
    """Return how the webhooks that Remotion sends are doing."""
    now, deliveries = timezone.now(), WebhookDelivery.objects
    return Incoming(
        is_set_up=bool(settings.REMOTION_WEBHOOK_URL),
        newest_at=deliveries.order_by("-received_at", "-id").values_list("received_at", flat=True).first(),
        received=_count(deliveries.filter(received_at__gte=now - RECEIVED_FOR)),
        unprocessed=_count(deliveries.failed().filter(received_at__lt=now - UNDER_WAY)),
    )


def _count(rows: QuerySet[Any]) -> int:
    return rows.order_by().values("pk")[:MOST].count()
