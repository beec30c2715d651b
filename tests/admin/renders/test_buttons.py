from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone

from renders.admin.renders.buttons import Button, buttons_of
from renders.models import Render, WebhookMessage
from tests.factories import grant, make_endpoint, make_message, make_render

pytestmark = pytest.mark.django_db
Status = Render.Status


def buttons(render: Render, person: User) -> dict[str, Button]:
    request = HttpRequest()
    request.user = person
    return {button.name: button for button in buttons_of(request, render)}


class TestWhichButtons:
    @pytest.mark.parametrize(
        ("status", "fields", "names"),
        [
            (Status.QUEUED, {}, {"change", "cancel"}),
            (Status.SUBMITTING, {}, {"change", "cancel"}),
            (Status.RENDERING, {}, {"change", "refresh", "cancel"}),
            (Status.RENDERING, {"cancel_requested_at": timezone.now()}, {"change", "refresh"}),
            (Status.SUCCEEDED, {}, {"change", "download", "link"}),
            (Status.FAILED, {}, {"change", "repeat"}),
            (Status.FAILED, {"failure_reason": "timed_out"}, {"change", "repeat", "refresh"}),
            (Status.CANCELLED, {}, {"change", "repeat"}),
        ],
    )
    def test_only_those_that_can_do_something(
        self, staff: User, status: str, fields: dict[str, Any], names: set[str]
    ) -> None:
        assert buttons(make_render(status, **fields), staff).keys() == names

    def test_expired_files_are_not_offered(self, staff: User) -> None:
        old = timezone.now() - timedelta(days=2)
        render = make_render(Status.SUCCEEDED, options={"deleteAfter": "1-day"}, submitted_at=old)
        assert buttons(render, staff).keys() == {"change"}

    def test_one_that_is_being_repeated_is_not_repeated_again(self, staff: User) -> None:
        render = make_render(Status.FAILED)
        make_render(retry_of=render)
        assert "repeat" not in buttons(render, staff)

    @pytest.mark.parametrize(
        ("error", "main"), [("boom", "change"), ("AWS Concurrency limit reached (Original Error: …)", "repeat")]
    )
    def test_the_main_one_is_that_which_may_help(self, staff: User, error: str, main: str) -> None:
        shown = buttons(make_render(Status.FAILED, failure_reason="render_error", error=error), staff)
        assert [name for name, button in shown.items() if button.variant == "primary"] == [main]

    @pytest.mark.parametrize("status", WebhookMessage.Status)
    def test_webhooks_that_were_sent_can_be_sent_again(self, staff: User, user: User, status: str) -> None:
        render = make_render(owner=user)
        make_message(make_endpoint(user, "https://shop.example/"), render, status=status)
        assert ("webhook" in buttons(render, staff)) == (status != WebhookMessage.Status.PENDING)

    def test_each_asks_for_its_permission(self, user: User) -> None:
        render = make_render(Status.FAILED, failure_reason="timed_out", owner=user)
        make_message(make_endpoint(user, "https://shop.example/"), render, status="failed")
        grant(user, "view_render")
        assert buttons(render, user).keys() == {"refresh"}
        grant(user, "change_render")
        assert buttons(render, User.objects.get(pk=user.pk)).keys() == {"refresh", "repeat", "webhook"}
        grant(user, "add_render")
        assert "change" in buttons(render, User.objects.get(pk=user.pk))


class TestQuestions:
    def test_repeating_says_what_it_costs(self, staff: User) -> None:
        render = make_render(Status.FAILED)
        assert "cannot be estimated" in buttons(render, staff)["repeat"].consequence
        make_render(Status.SUCCEEDED, cost=0.0123, currency="USD")
        assert "estimated cost: 0.0123\N{NO-BREAK SPACE}USD" in buttons(render, staff)["repeat"].consequence

    def test_cancelling_says_what_is_paid(self, staff: User) -> None:
        assert "nothing has to be paid" in buttons(make_render(Status.QUEUED), staff)["cancel"].consequence
        rendering = make_render(cost=0.0042, currency="USD")
        assert "0.0042\N{NO-BREAK SPACE}USD by now" in buttons(rendering, staff)["cancel"].consequence

    def test_what_is_sent_to_others_is_asked_first(self, staff: User, user: User) -> None:
        render = make_render(owner=user)
        make_message(make_endpoint(user, "https://shop.example/"), render, status="failed")
        assert buttons(render, staff)["webhook"].question

    def test_what_can_be_undone_asks_nothing(self, staff: User) -> None:
        assert buttons(make_render(), staff)["refresh"].question == ""
