"""Messages that are claimed, sent and stored."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from renders.models import WebhookAttempt, WebhookEndpoint, WebhookMessage
from renders.services.webhooks import delivery
from renders.services.webhooks.delivery import Attempt, claim_due, send, store
from renders.services.webhooks.endpoints import update_endpoint
from renders.services.webhooks.request import Outcome
from renders.services.webhooks.schedule import DELAYS
from renders.services.webhooks.secrets import secret_of
from tests.factories import make_endpoint, make_message, make_render
from tests.servers import Answer, ScriptedServer

pytestmark = pytest.mark.django_db
Status = WebhookMessage.Status
URL = "https://example.com/hook"
GOOD, BAD = Outcome(duration=0.1, status=200, answer="OK"), Outcome(duration=0.1, status=500, error="It answered 500.")


@pytest.fixture
def endpoint(user: User) -> WebhookEndpoint:
    return make_endpoint(user, URL)


def claim(**options: Any) -> list[WebhookMessage]:
    return claim_due(**{"at": timezone.now(), "in_flight": {}, "slow": (), "limit": 100, **options})


def attempted(message: WebhookMessage, outcome: Outcome, **fields: Any) -> WebhookMessage:
    store([Attempt(WebhookMessage.objects.select_related("endpoint").get(pk=message.pk), timezone.now(), outcome)])
    message.refresh_from_db()
    return message


class TestClaim:
    def test_a_claimed_message_is_not_claimed_again_until_its_lease_ends(self, endpoint: WebhookEndpoint) -> None:
        message = make_message(endpoint)
        assert claim() == [message]
        assert claim() == []
        assert claim(at=timezone.now() + delivery.LEASE + timedelta(seconds=1)) == [message]

    def test_one_that_waits_for_its_retry_or_has_ended_is_left_alone(self, endpoint: WebhookEndpoint) -> None:
        make_message(endpoint, next_attempt_at=timezone.now() + timedelta(minutes=1))
        make_message(endpoint, status=Status.DELIVERED)
        make_message(endpoint, status=Status.FAILED)
        assert claim() == []

    def test_of_a_render_the_first_that_was_never_tried_comes_alone(self, endpoint: WebhookEndpoint) -> None:
        render, other = make_render(), make_render()
        first, second = make_message(endpoint, render), make_message(endpoint, render)
        elsewhere = make_message(endpoint, other)
        assert claim() == [first, elsewhere]
        assert claim() == []  # the first is under way
        attempted(first, GOOD)
        assert claim() == [second]

    def test_one_that_failed_once_holds_up_no_later_one(self, endpoint: WebhookEndpoint) -> None:
        render = make_render()
        first, second = make_message(endpoint, render), make_message(endpoint, render)
        claim()
        attempted(first, BAD)
        assert claim() == [second]

    def test_other_endpoints_of_the_render_do_not_wait(self, endpoint: WebhookEndpoint, user: User) -> None:
        render, other = make_render(), make_endpoint(user, URL)
        messages = {make_message(endpoint, render), make_message(other, render)}
        assert set(claim()) == messages

    def test_one_endpoint_gets_no_more_at_a_time_than_it_may(self, endpoint: WebhookEndpoint, user: User) -> None:
        other = make_endpoint(user, URL)
        for _ in range(delivery.MAX_IN_FLIGHT + 4):
            make_message(endpoint)
        late = make_message(other)
        claimed = claim(in_flight={endpoint.pk: 3})
        assert len([message for message in claimed if message.endpoint == endpoint]) == delivery.MAX_IN_FLIGHT - 3
        assert late in claimed
        assert claim(in_flight={endpoint.pk: delivery.MAX_IN_FLIGHT}) == []

    def test_a_slow_endpoint_gets_one(self, endpoint: WebhookEndpoint) -> None:
        messages = [make_message(endpoint) for _ in range(3)]
        assert claim(slow={endpoint.pk}) == messages[:1]
        assert claim(slow={endpoint.pk}, in_flight={endpoint.pk: 1}) == []

    def test_no_more_than_asked_for_and_who_has_waited_longest_first(self, user: User) -> None:
        now = timezone.now()
        endpoints = [make_endpoint(user, URL) for _ in range(4)]
        for age, endpoint in enumerate(endpoints):
            make_message(endpoint, next_attempt_at=now - timedelta(seconds=age))
        assert [message.endpoint for message in claim(limit=2)] == [endpoints[3], endpoints[2]]


class TestSend:
    def test_the_official_library_verifies_what_arrives(
        self, endpoint: WebhookEndpoint, aws: ScriptedServer, django_assert_num_queries: Any
    ) -> None:
        aws.answers["/hook"] = Answer()
        make_message(endpoint, make_render(), url=f"{aws.url}/hook")
        (message,) = claim()
        with django_assert_num_queries(0):  # the threads that send have no connection
            attempt = send(message)
        ((_, _, body),) = aws.requests
        assert attempt.outcome.is_success
        verified = Webhook(secret_of(endpoint)).verify(body, aws.headers[0])
        event = message.event
        assert event
        assert verified == {"type": "render.succeeded", "timestamp": verified["timestamp"], "data": {"id": "a"}}
        assert verified["timestamp"] == event.created_at.isoformat().replace("+00:00", "Z")
        assert aws.headers[0]["webhook-id"] == f"msg_{message.pk}"
        assert aws.headers[0]["content-type"] == "application/json"

    def test_a_ping_says_nothing_but_its_type(self, endpoint: WebhookEndpoint, aws: ScriptedServer) -> None:
        aws.answers["/hook"] = Answer()
        make_message(endpoint, url=f"{aws.url}/hook")
        send(claim()[0])
        body = json.loads(aws.requests[0][2])
        assert (body["type"], body["data"]) == ("ping", {})


class TestStore:
    def test_a_success(self, endpoint: WebhookEndpoint) -> None:
        message = attempted(make_message(endpoint), GOOD)
        assert (message.status, message.attempt_count) == (Status.DELIVERED, 1)
        assert message.finished_at
        attempt = WebhookAttempt.objects.get()
        assert (attempt.message, attempt.status_code, attempt.answer, attempt.duration_ms) == (message, 200, "OK", 100)

    def test_a_failure_is_tried_again_as_planned_and_the_tenth_is_the_last(self, endpoint: WebhookEndpoint) -> None:
        message = make_message(endpoint)
        for delay in DELAYS:
            attempted(message, BAD)
            assert message.status == Status.PENDING
            wait = message.next_attempt_at - timezone.now()
            assert delay - timedelta(seconds=2) < wait <= delay * 1.1
        attempted(message, BAD)
        assert (message.status, message.attempt_count, WebhookAttempt.objects.count()) == (Status.FAILED, 10, 10)
        assert message.finished_at

    def test_what_arrived_although_the_message_had_ended_is_delivered(self, endpoint: WebhookEndpoint) -> None:
        message = attempted(make_message(endpoint, status=Status.FAILED), GOOD)
        assert message.status == Status.DELIVERED
        assert attempted(make_message(endpoint, status=Status.FAILED), BAD).status == Status.FAILED

    def test_a_message_that_was_deleted_meanwhile_is_none(self, endpoint: WebhookEndpoint) -> None:
        make_message(endpoint)
        (message,) = claim()
        attempt = Attempt(message, timezone.now(), GOOD)
        WebhookEndpoint.objects.filter(pk=endpoint.pk).delete()
        store([attempt])
        assert not WebhookAttempt.objects.exists()


class TestFailing:
    def fail(self, endpoint: WebhookEndpoint, outcomes: Sequence[Outcome]) -> WebhookEndpoint:
        for outcome in outcomes:
            attempted(make_message(endpoint), outcome)
        endpoint.refresh_from_db()
        return endpoint

    def test_it_is_known_since_when(self, endpoint: WebhookEndpoint) -> None:
        since = self.fail(endpoint, [BAD]).failing_since
        assert since
        assert self.fail(endpoint, [BAD]).failing_since == since
        assert self.fail(endpoint, [GOOD]).failing_since is None

    @pytest.mark.parametrize("status", [410, 500])
    def test_an_answer_of_the_address_before_a_change_says_nothing(
        self, endpoint: WebhookEndpoint, status: int
    ) -> None:
        make_message(endpoint)
        (message,) = claim()
        update_endpoint(endpoint, url="https://example.com/new")
        store([Attempt(message, timezone.now(), Outcome(duration=0, status=status, error="Gone."))])
        endpoint.refresh_from_db()
        message.refresh_from_db()
        assert (endpoint.enabled, endpoint.failing_since) == (True, None)
        assert (message.status, message.attempt_count) == (Status.PENDING, 1)

    def test_410_disables_it_and_ends_its_messages(self, endpoint: WebhookEndpoint) -> None:
        waiting = make_message(endpoint)
        self.fail(endpoint, [Outcome(duration=0, status=410, error="Gone.")])
        assert not endpoint.enabled
        assert endpoint.disabled_reason == "The endpoint answered 410 Gone: it wants no more messages."
        waiting.refresh_from_db()
        assert (waiting.status, WebhookMessage.objects.pending().count()) == (Status.FAILED, 0)

    @pytest.mark.parametrize(("age", "is_enabled"), [(timedelta(hours=71), True), (timedelta(hours=73), False)])
    def test_three_days_without_a_success_disable_it(
        self, endpoint: WebhookEndpoint, age: timedelta, is_enabled: bool
    ) -> None:
        endpoint.failing_since = timezone.now() - age
        endpoint.save()
        self.fail(endpoint, [BAD])
        assert endpoint.enabled is is_enabled
        expected = "" if is_enabled else "No message was accepted for three days. The last attempt: It answered 500."
        assert endpoint.disabled_reason == expected

    def test_the_endpoint_of_renders_urls_is_never_disabled(self, user: User) -> None:
        own = make_endpoint(user, "", failing_since=timezone.now() - timedelta(days=9))
        self.fail(own, [BAD, Outcome(duration=0, status=410, error="Gone.")])
        assert own.enabled
