"""Endpoints that are created and changed, and messages that are sent again."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from renders.models import WebhookEndpoint, WebhookMessage
from renders.services.errors import Conflict, InvalidRequest
from renders.services.webhooks import endpoints
from renders.services.webhooks.endpoints import (
    create_endpoint,
    delete_endpoint,
    render_urls_endpoint,
    rotate_secret,
    update_endpoint,
)
from renders.services.webhooks.replay import ping, replay, replay_failed
from renders.services.webhooks.secrets import current_secrets, secret_of
from tests.factories import make_endpoint, make_message

pytestmark = pytest.mark.django_db
Status = WebhookMessage.Status
URL = "https://example.com/hook"


@pytest.fixture
def endpoint(user: User) -> WebhookEndpoint:
    return make_endpoint(user, URL)


class TestChange:
    def test_what_waits_goes_to_the_new_url(self, endpoint: WebhookEndpoint) -> None:
        waiting, done = make_message(endpoint), make_message(endpoint, status=Status.DELIVERED)
        update_endpoint(endpoint, url="https://example.com/new")
        for message in (waiting, done):
            message.refresh_from_db()
        assert (waiting.url, done.url) == ("https://example.com/new", URL)

    def test_disabling_it_ends_what_waits_and_enabling_forgets_its_failures(self, endpoint: WebhookEndpoint) -> None:
        endpoint.failing_since = timezone.now()
        endpoint.save()
        waiting = make_message(endpoint)
        assert not update_endpoint(endpoint, enabled=False).enabled
        waiting.refresh_from_db()
        assert waiting.status == Status.FAILED
        WebhookEndpoint.objects.update(disabled_reason="It failed.")
        enabled = update_endpoint(endpoint, enabled=True)
        assert (enabled.enabled, enabled.disabled_reason, enabled.failing_since) == (True, "", None)

    def test_a_type_that_is_none_is_named(self, user: User) -> None:
        with pytest.raises(InvalidRequest, match=r"events: render\.done is no type of event"):
            create_endpoint(owner=user, url=URL, events=["render.done"])

    def test_there_is_a_limit_for_each_owner(self, user: User, staff: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(endpoints, "MAX_ENDPOINTS", 1)
        render_urls_endpoint(user)
        create_endpoint(owner=user, url=URL)
        with pytest.raises(Conflict, match="delete one first"):
            create_endpoint(owner=user, url=URL)
        create_endpoint(owner=staff, url=URL)

    def test_deleting_it_deletes_its_messages(self, endpoint: WebhookEndpoint) -> None:
        make_message(endpoint)
        delete_endpoint(endpoint)
        assert (WebhookEndpoint.objects.count(), WebhookMessage.objects.count()) == (0, 0)


class TestRotation:
    def test_the_previous_secret_is_good_for_a_day(self, endpoint: WebhookEndpoint) -> None:
        old = secret_of(endpoint)
        rotated = rotate_secret(endpoint)
        now = timezone.now()
        assert current_secrets(rotated, at=now) == [secret_of(rotated), old]
        assert secret_of(rotated) != old
        assert current_secrets(rotated, at=now + timedelta(hours=25)) == [secret_of(rotated)]

    def test_a_second_rotation_must_wait(self, endpoint: WebhookEndpoint) -> None:
        rotate_secret(endpoint)
        with pytest.raises(Conflict, match="the previous one is good until"):
            rotate_secret(endpoint)
        WebhookEndpoint.objects.update(previous_secret_until=timezone.now())
        assert rotate_secret(endpoint).secret_version == 3


class TestRenderUrls:
    def test_each_owner_has_one(self, user: User, staff: User) -> None:
        own = render_urls_endpoint(user)
        assert render_urls_endpoint(user) == own
        assert render_urls_endpoint(staff) != own

    def test_it_has_no_url_of_its_own(self, user: User) -> None:
        own = render_urls_endpoint(user)
        with pytest.raises(InvalidRequest, match="url: This endpoint stands for the webhookUrl"):
            update_endpoint(own, url=URL)
        with pytest.raises(Conflict, match="no URL of its own to ping"):
            ping(own)
        assert not update_endpoint(own, enabled=False).enabled


class TestReplay:
    @pytest.mark.parametrize("status", [Status.DELIVERED, Status.FAILED])
    def test_what_has_ended_is_sent_again_with_all_its_attempts(self, endpoint: WebhookEndpoint, status: str) -> None:
        message = make_message(
            endpoint, status=status, attempt_count=10, finished_at=timezone.now(), url="https://old/"
        )
        replayed = replay(message)
        assert (replayed.pk, replayed.status, replayed.attempt_count) == (message.pk, Status.PENDING, 0)
        assert (replayed.finished_at, replayed.url) == (None, URL)
        assert replayed.next_attempt_at <= timezone.now()

    def test_what_waits_is_not(self, endpoint: WebhookEndpoint) -> None:
        with pytest.raises(Conflict, match="still being delivered"):
            replay(make_message(endpoint))

    def test_a_renders_url_stays_its_own(self, user: User) -> None:
        own = render_urls_endpoint(user)
        message = make_message(own, status=Status.FAILED, url="https://example.com/one")
        assert replay(message).url == "https://example.com/one"

    def test_all_that_failed_since_then(self, endpoint: WebhookEndpoint) -> None:
        now = timezone.now()
        make_message(endpoint, status=Status.FAILED, created_at=now - timedelta(days=2))
        make_message(endpoint, status=Status.DELIVERED)
        failed = [make_message(endpoint, status=Status.FAILED) for _ in range(2)]
        assert replay_failed(endpoint, since=now - timedelta(days=1)) == 2
        assert list(WebhookMessage.objects.pending().order_by("id")) == failed

    def test_a_disabled_endpoint_is_sent_nothing(self, endpoint: WebhookEndpoint) -> None:
        message = make_message(endpoint, status=Status.FAILED)
        update_endpoint(endpoint, enabled=False)
        with pytest.raises(Conflict, match="enable it first"):
            replay(message)
        with pytest.raises(Conflict, match="enable it first"):
            replay_failed(endpoint, since=timezone.now() - timedelta(days=1))
        endpoint.refresh_from_db()
        with pytest.raises(Conflict, match="enable it first"):
            ping(endpoint)
