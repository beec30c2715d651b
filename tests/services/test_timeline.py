from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from renders.models import Event, Render, WebhookAttempt, WebhookDelivery, WebhookMessage
from renders.services.cancel import cancel_render
from renders.services.timeline import Kind, timeline
from tests.factories import create, make_endpoint, make_message, make_render
from tests.servers import ScriptedServer

pytestmark = pytest.mark.django_db
Status = Render.Status
NOW = timezone.now()


def at(seconds: int) -> datetime:
    return NOW + timedelta(seconds=seconds)


def told(render: Render) -> list[str]:
    return [moment.what for moment in timeline(Render.objects.get(pk=render.pk))]


def make_event(render: Render, type_: str, seconds: int, **data: Any) -> Event:
    return Event.objects.create(type=type_, render=render, data=data, created_at=at(seconds))


class TestTimeline:
    def test_it_is_in_the_order_in_which_it_happened(self, user: User) -> None:
        render = make_render(
            Status.SUCCEEDED, owner=user, created_at=at(0), submitted_at=at(2), first_frame_at=at(4), finished_at=at(9)
        )
        make_event(render, "render.queued", 1)
        make_event(render, "render.started", 3, renderId="r1")
        make_event(render, "render.succeeded", 9)
        moments = timeline(render)
        assert [moment.what for moment in moments] == [
            "Asked for, for ada",
            "Queued",
            "Sent to AWS",
            "Started",
            "First frames rendered",
            "Succeeded",
        ]
        assert moments[3].detail == "Remotion renders it as r1."

    def test_a_real_render_that_is_started_and_cancelled(self, aws: ScriptedServer) -> None:
        render = create()
        cancel_render(render, send_now=False)
        assert told(render) == ["Asked for", "Sent to AWS", "Started", "Cancelling was asked for"]

    @pytest.mark.parametrize("status", Render.TERMINAL)
    def test_an_end_is_told_though_its_event_was_deleted(self, status: str) -> None:
        assert told(make_render(status)).count(status.capitalize()) == 1

    def test_a_failure_says_why(self) -> None:
        render = make_render(Status.FAILED, error="boom")
        make_event(render, "render.failed", 0, error="boom at 100")
        (moment,) = (moment for moment in timeline(render) if moment.kind == Kind.FAILURE)
        assert (moment.detail, moment.is_bad) == ("boom at 100", True)

    def test_progress_is_left_out(self) -> None:
        render = make_render()
        make_event(render, "render.progressed", 0)
        assert told(render) == ["Sent to AWS", "Asked for"]

    @pytest.mark.parametrize("time", [NOW.timestamp() * 1000, 1e300, -1e300], ids=["now", "too late", "too early"])
    def test_retries_of_chunks_are_told_with_their_error(self, time: float) -> None:
        error = {"chunk": 2, "attempt": 1, "message": "Target closed.\n    at a", "retriedAt": time}
        render = make_render(errors=[error, {"chunk": 3, "message": "no time is known"}])
        (moment,) = (moment for moment in timeline(render) if moment.kind == Kind.RETRY)
        assert (moment.what, moment.detail) == ("Remotion renders chunk 2 again", "Target closed.")

    def test_deliveries_of_this_render_are_told_and_no_others(self) -> None:
        render = make_render()
        about = {"render_id": render.render_id, "headers": {"X-Remotion-Status": "error"}, "error": "S3 was down."}
        delivery = WebhookDelivery.objects.create(**about)
        WebhookDelivery.objects.create(render_id="another", headers={})
        (moment,) = (moment for moment in timeline(render) if moment.kind == Kind.WEBHOOK_IN)
        assert (moment.what, moment.detail, moment.is_bad) == ("Webhook from Remotion: error", "S3 was down.", True)
        assert moment.about == delivery


class TestWebhooksSent:
    @pytest.fixture
    def message(self, user: User) -> WebhookMessage:
        return make_message(make_endpoint(user, "https://shop.example/hook"), make_render(owner=user))

    def sent(self, message: WebhookMessage) -> list[tuple[str, str, bool]]:
        assert message.render
        moments = timeline(message.render)
        return [(moment.what, moment.detail, moment.is_bad) for moment in moments if moment.kind == Kind.WEBHOOK_OUT]

    def test_one_that_waits_is_told(self, message: WebhookMessage) -> None:
        assert self.sent(message) == [("Webhook render.succeeded is to be sent", "To https://shop.example/hook", False)]

    def test_each_attempt_is_told_with_its_answer(self, message: WebhookMessage) -> None:
        attempts = {"message": message, "duration_ms": 30}
        WebhookAttempt.objects.create(**attempts, at=at(1), status_code=503, error="It answered 503.")
        WebhookAttempt.objects.create(**attempts, at=at(2), status_code=200)
        to = "To https://shop.example/hook, 30\N{NO-BREAK SPACE}ms. It answered"
        assert self.sent(message) == [
            ("Webhook render.succeeded was not delivered", f"{to} 503.", True),
            ("Webhook render.succeeded was delivered", f"{to} 200.", False),
        ]

    def test_queries_do_not_grow_with_the_messages(
        self, message: WebhookMessage, user: User, django_assert_num_queries: Any
    ) -> None:
        for _ in range(5):
            make_message(message.endpoint, message.render)
        render = Render.objects.select_related("owner").get()
        with django_assert_num_queries(4):  # events, deliveries, messages, attempts
            timeline(render)
