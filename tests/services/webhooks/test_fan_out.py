"""Events that are handed on: to receivers of the signal, and as messages."""

import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.dispatch import receiver

from renders.models import Event, EventCursor, Render, WebhookEndpoint, WebhookMessage
from renders.services.webhooks import fan_out
from renders.services.webhooks.endpoints import update_endpoint
from renders.services.webhooks.fan_out import hand_on
from renders.signals import event_published
from tests.factories import make_endpoint, make_render

pytestmark = pytest.mark.django_db
Type, Status = Event.Type, Render.Status
URL = "https://example.com/hook"


def happen(type_: str, render: Render | None = None, owner: User | None = None) -> Event:
    return Event.objects.create(type=type_, render=render, owner=render.owner if render else owner, data={"id": "a"})


def told() -> list[tuple[Any, str, str]]:
    messages = WebhookMessage.objects.order_by("id")
    return [(message.endpoint_id, message.type, message.url) for message in messages]


class TestMessages:
    def test_each_event_is_handed_on_once_in_its_order(self, user: User) -> None:
        endpoint, render = make_endpoint(user, URL), make_render(owner=user)
        events = [happen(type_, render) for type_ in (Type.QUEUED, Type.STARTED, Type.SUCCEEDED)]
        assert hand_on() == 3
        assert hand_on() == 0
        assert told() == [(endpoint.pk, event.type, URL) for event in events]
        assert list(WebhookMessage.objects.order_by("id").values_list("event", flat=True)) == [e.pk for e in events]

    def test_an_endpoint_gets_what_it_names_else_all_but_progress(self, user: User) -> None:
        every = make_endpoint(user, URL)
        some = make_endpoint(user, URL, events=[Type.PROGRESSED, Type.FAILED])
        for type_ in (Type.STARTED, Type.PROGRESSED, Type.FAILED, Type.BATCH_COMPLETED):
            happen(type_, owner=user)
        hand_on()
        types = [(pk, type_) for pk, type_, _ in told()]
        assert [type_ for pk, type_ in types if pk == every.pk] == [Type.STARTED, Type.FAILED, Type.BATCH_COMPLETED]
        assert [type_ for pk, type_ in types if pk == some.pk] == [Type.PROGRESSED, Type.FAILED]

    def test_another_owners_and_a_disabled_endpoint_get_nothing(self, user: User, staff: User) -> None:
        make_endpoint(staff, URL)
        make_endpoint(user, URL, enabled=False)
        WebhookEndpoint.objects.create(owner=None, url=URL)
        happen(Type.STARTED, make_render(owner=user))
        happen(Type.STARTED, make_render(owner=None))
        assert hand_on() == 2
        assert told() == []

    def test_a_renders_own_url_is_told_its_ends_only(self, user: User) -> None:
        own = make_endpoint(user, "")
        render = make_render(owner=user, webhook_url="https://example.com/one")
        for type_ in Type.values:
            happen(type_, render)
        happen(Type.SUCCEEDED, make_render(owner=user))
        hand_on()
        ends = [Type.SUCCEEDED, Type.FAILED, Type.CANCELLED]
        assert told() == [(own.pk, type_, "https://example.com/one") for type_ in ends]

    def test_after_its_endpoint_was_deleted_a_renders_url_is_told_nothing(self, user: User) -> None:
        happen(Type.SUCCEEDED, make_render(owner=user, webhook_url="https://example.com/one"))
        assert hand_on() == 1
        assert told() == []

    def test_more_than_one_batch_goes_on_with_the_next(self, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(fan_out, "BATCH_SIZE", 2)
        make_endpoint(user, URL)
        for _ in range(5):
            happen(Type.STARTED, owner=user)
        assert [hand_on(), hand_on(), hand_on(), hand_on()] == [2, 2, 1, 0]
        assert WebhookMessage.objects.count() == 5

    def test_without_news_it_asks_one_question(self, user: User, django_assert_num_queries: Any) -> None:
        happen(Type.STARTED, owner=user)
        hand_on()
        with django_assert_num_queries(1):
            hand_on()


class TestSignal:
    @pytest.fixture
    def heard(self) -> Iterator[list[Event]]:
        events: list[Event] = []

        def hear(event: Event, **_: Any) -> None:
            events.append(event)

        event_published.connect(hear)
        yield events
        event_published.disconnect(hear)

    def test_receivers_get_each_event_in_order(self, user: User, heard: list[Event]) -> None:
        events = [happen(Type.STARTED, owner=user), happen(Type.FAILED, owner=user)]
        hand_on()
        assert heard == events

    @pytest.mark.parametrize("statement", ["", "SELECT nonsense"])
    def test_one_that_fails_is_logged_and_keeps_nothing_from_going_on(
        self, user: User, heard: list[Event], caplog: pytest.LogCaptureFixture, statement: str
    ) -> None:
        make_endpoint(user, URL)

        @receiver(event_published)
        def fail(**_: Any) -> None:
            if statement:
                connection.cursor().execute(statement)
            raise ValueError("No.")

        happen(Type.STARTED, owner=user)
        try:
            hand_on()
        finally:
            event_published.disconnect(fail)
        assert "A receiver of event_published failed" in caplog.text
        assert len(told()) == len(heard) == 1
        assert EventCursor.objects.get(name=fan_out.CURSOR).last_event_id == Event.objects.get().pk


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    @pytest.mark.parametrize("change", [{"enabled": False}, {"url": "https://example.com/new"}])
    def test_who_changes_an_endpoint_meanwhile_changes_these_messages_too(
        self, user: User, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
    ) -> None:
        endpoint = make_endpoint(user, URL)
        happen(Type.STARTED, make_render(owner=user))
        real = fan_out._render_urls

        def change_endpoint() -> None:
            update_endpoint(endpoint, **change)
            connection.close()

        changing = threading.Thread(target=change_endpoint)

        def meanwhile(render_ids: set[UUID]) -> dict[UUID, str]:
            changing.start()
            changing.join(0.5)  # it waits for this transaction, or is done
            return real(render_ids)

        monkeypatch.setattr(fan_out, "_render_urls", meanwhile)
        hand_on()
        changing.join()
        (message,) = WebhookMessage.objects.all()
        expected = ("failed", URL) if "enabled" in change else ("pending", change["url"])
        assert (message.status, message.url) == expected
