"""How webhooks are doing, out and in."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from renders.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookMessage
from renders.services.statistics.webhooks import incoming, outgoing
from tests.factories import make_endpoint, make_message

pytestmark = pytest.mark.django_db
URL = "https://example.com/hook"
Status = WebhookMessage.Status


@pytest.fixture
def endpoint(user: User) -> WebhookEndpoint:
    return make_endpoint(user, URL)


def attempt(message: WebhookMessage, error: str = "", milliseconds: int = 10) -> None:
    WebhookAttempt.objects.create(message=message, duration_ms=milliseconds, error=error)


class TestOutgoing:
    def test_without_any_there_is_no_rate(self) -> None:
        health = outgoing()
        assert (health.pending, health.failed, health.success_rate, health.median_ms) == (0, 0, None, None)
        assert health.overdue_since is None

    def test_the_rate_is_of_the_newest_attempts(self, endpoint: WebhookEndpoint, monkeypatch: Any) -> None:
        monkeypatch.setattr("renders.services.statistics.webhooks.NEWEST", 4)
        message = make_message(endpoint)
        for error in ("Refused.", "Refused.", "", "", "", "It answered 500."):
            attempt(message, error)
        assert (outgoing().attempts, outgoing().success_rate) == (4, 0.75)

    def test_messages_that_were_given_up_lately_are_counted(self, endpoint: WebhookEndpoint) -> None:
        now = timezone.now()
        make_message(endpoint, status=Status.FAILED, finished_at=now - timedelta(days=6))
        make_message(endpoint, status=Status.FAILED, finished_at=now - timedelta(days=8))
        make_message(endpoint, status=Status.DELIVERED, finished_at=now)
        make_message(endpoint)
        assert (outgoing().failed, outgoing().pending) == (1, 1)

    def test_a_message_that_should_have_been_sent_is_overdue(self, endpoint: WebhookEndpoint) -> None:
        now = timezone.now()
        make_message(endpoint, next_attempt_at=now - timedelta(seconds=10))
        assert outgoing().overdue_since is None
        late = make_message(endpoint, next_attempt_at=now - timedelta(minutes=5))
        assert outgoing().overdue_since == late.next_attempt_at

    def test_endpoints_that_fail_and_that_failed_for_too_long(self, endpoint: WebhookEndpoint, user: User) -> None:
        make_endpoint(user, f"{URL}2", failing_since=timezone.now())
        make_endpoint(user, f"{URL}3", enabled=False, failing_since=timezone.now(), disabled_reason="Gone.")
        make_endpoint(user, f"{URL}4", enabled=False)
        health = outgoing()
        assert (health.endpoints, health.failing_endpoints, health.disabled_endpoints) == (2, 1, 1)


class TestIncoming:
    def test_deliveries_are_counted_for_a_day(self, settings: Any) -> None:
        settings.REMOTION_WEBHOOK_URL = "https://renders.example.com/"
        now = timezone.now()
        newest = WebhookDelivery.objects.create(headers={}, received_at=now - timedelta(hours=1), is_processed=True)
        WebhookDelivery.objects.create(headers={}, received_at=now - timedelta(days=2), is_processed=False)
        health = incoming()
        assert (health.is_set_up, health.newest_at, health.received) == (True, newest.received_at, 1)
        assert health.unprocessed == 1

    def test_one_that_has_just_come_may_still_be_processed(self) -> None:
        WebhookDelivery.objects.create(headers={}, is_processed=False)
        assert (incoming().unprocessed, incoming().received) == (0, 1)
