"""Claim messages that are due, send one, and store what came of it."""

import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from renders.models import WebhookAttempt, WebhookEndpoint, WebhookMessage
from renders.services.webhooks.body import message_body
from renders.services.webhooks.endpoints import disable
from renders.services.webhooks.request import Outcome, post
from renders.services.webhooks.schedule import DISABLE_AFTER, next_attempt_at
from renders.services.webhooks.secrets import signed_headers

logger = logging.getLogger(__name__)
Status = WebhookMessage.Status

LEASE = timedelta(seconds=60)
"""What a killed process had claimed is due again after it. A request takes 15 s, and looking for an address more."""

MAX_IN_FLIGHT = 16
"""Requests at a time to one endpoint, for each worker."""

MAX_IN_FLIGHT_IF_SLOW = 1
"""The same for an endpoint whose last request took longer than ``SLOW_SECONDS``: it shall not take all threads."""

SLOW_SECONDS = 2.0

GONE = 410
GONE_REASON = "The endpoint answered 410 Gone: it wants no more messages."
FAILING_REASON = "No message was accepted for three days. The last attempt: "


@dataclass(frozen=True)
class Attempt:
    """A message that was sent, and what came of it."""

    message: WebhookMessage
    at: datetime
    outcome: Outcome


def claim_due(
    *, at: datetime, in_flight: Mapping[UUID, int], slow: Collection[UUID], limit: int
) -> list[WebhookMessage]:
    """Lease up to ``limit`` messages that are due at ``at``, so many of each endpoint as may be in flight.

    ``slow`` are the endpoints that were slow. The one that has waited longest comes first.
    """
    claimed: list[WebhookMessage] = []
    next_due = WebhookMessage.objects.next_due()
    for endpoint_id in sorted((pk for pk, due in next_due.items() if due <= at), key=next_due.__getitem__):
        most = MAX_IN_FLIGHT_IF_SLOW if endpoint_id in slow else MAX_IN_FLIGHT
        room = min(limit - len(claimed), most - in_flight.get(endpoint_id, 0))
        if room > 0:
            until = timezone.now() + LEASE
            claimed += WebhookMessage.objects.claim(endpoint_id, at=at, until=until, limit=room)
    return claimed


def send(message: WebhookMessage) -> Attempt:
    """Send a claimed message, without a query. Raise SetupError if it cannot be signed."""
    at = timezone.now()
    body = message_body(message)
    headers = signed_headers(message.endpoint, message_id=str(message), body=body, at=at)
    headers |= {"Content-Type": "application/json", "User-Agent": "renderhub"}
    return Attempt(message, at, post(message.url, headers=headers, body=body.encode()))


def store(attempts: Sequence[Attempt]) -> None:
    """Store the attempts, and what follows for their messages and endpoints."""
    by_message = {attempt.message.pk: attempt for attempt in attempts}
    with transaction.atomic():
        # Endpoints before messages, as everywhere.
        endpoints = WebhookEndpoint.objects.lock(_concerned_endpoints(attempts))
        locked = WebhookMessage.objects.filter(pk__in=by_message).select_for_update().order_by("pk")
        messages = list(locked)
        WebhookAttempt.objects.bulk_create([_row(by_message[message.pk]) for message in messages])
        _apply_successes([message.pk for message in messages if by_message[message.pk].outcome.is_success])
        _apply_failures([message for message in messages if not by_message[message.pk].outcome.is_success], by_message)
        _apply_to_endpoints(endpoints, attempts)


def _concerned_endpoints(attempts: Iterable[Attempt]) -> set[UUID]:
    """Return the endpoints that have failed, or that had and have now succeeded."""
    return {
        attempt.message.endpoint_id
        for attempt in attempts
        if not attempt.outcome.is_success or attempt.message.endpoint.failing_since
    }


def _row(attempt: Attempt) -> WebhookAttempt:
    outcome = attempt.outcome
    return WebhookAttempt(
        message=attempt.message,
        at=attempt.at,
        duration_ms=round(outcome.duration * 1000),
        status_code=outcome.status,
        answer=outcome.answer,
        error=outcome.error,
    )


def _apply_successes(ids: Sequence[int]) -> None:
    """Change locked messages, also those that have ended meanwhile: they have arrived."""
    changes = {"status": Status.DELIVERED, "finished_at": timezone.now(), "attempt_count": F("attempt_count") + 1}
    if ids:
        WebhookMessage.objects.filter(pk__in=ids).update(**changes)


def _apply_failures(messages: Sequence[WebhookMessage], attempt_of: Mapping[int, Attempt]) -> None:
    """Change locked messages: each is sent again later, unless it has ended or no attempt is left."""
    now = timezone.now()
    for message in messages:
        message.attempt_count += 1
        if message.status != Status.PENDING:
            continue
        retry_after = attempt_of[message.pk].outcome.retry_after
        again_at = next_attempt_at(failures=message.attempt_count, retry_after=retry_after, now=now)
        if again_at:
            message.next_attempt_at = again_at
        else:
            message.status, message.finished_at = Status.FAILED, now
    fields = ("status", "attempt_count", "next_attempt_at", "finished_at")
    WebhookMessage.objects.bulk_update(messages, fields)


def _apply_to_endpoints(endpoints: Mapping[UUID, WebhookEndpoint], attempts: Iterable[Attempt]) -> None:
    of_endpoint: dict[UUID, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        of_endpoint[attempt.message.endpoint_id].append(attempt)
    for endpoint in endpoints.values():
        # What the address from before a change has answered says nothing about the one of now.
        own = [each for each in of_endpoint[endpoint.pk] if each.message.url == endpoint.url or not endpoint.url]
        if own:
            _note_failures(endpoint, sorted(own, key=lambda attempt: attempt.at))


def _note_failures(endpoint: WebhookEndpoint, attempts: Sequence[Attempt]) -> None:
    """Set since when a locked endpoint fails; disable one that wants no more or has failed for three days."""
    before = endpoint.failing_since
    for attempt in attempts:
        endpoint.failing_since = None if attempt.outcome.is_success else endpoint.failing_since or attempt.at
    if endpoint.failing_since != before:
        endpoint.save(update_fields=["failing_since"])
    if not endpoint.enabled or endpoint.is_for_render_urls:  # whose messages go to many addresses
        return
    last = attempts[-1]
    if any(attempt.outcome.status == GONE for attempt in attempts):
        _disable(endpoint, GONE_REASON)
    elif endpoint.failing_since and last.at - endpoint.failing_since >= DISABLE_AFTER:
        _disable(endpoint, FAILING_REASON + (last.outcome.error or "it succeeded."))


def _disable(endpoint: WebhookEndpoint, reason: str) -> None:
    disable(endpoint, reason=reason)
    extra = {"endpoint": str(endpoint.pk)}
    logger.warning("Webhook endpoint %s was disabled: %s", endpoint.pk, reason, extra=extra)


def counted(attempts: Iterable[Attempt]) -> Counter[str]:
    """Return how often each error occurred."""
    return Counter(attempt.outcome.error for attempt in attempts if attempt.outcome.error)
