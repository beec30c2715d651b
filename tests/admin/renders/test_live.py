"""How renders are now: the states, the markup, and the address that answers for many."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from renders.admin.renders.live import MAX_IDS, live_markup, live_state
from renders.models import RefreshState, Render
from tests.factories import grant, make_render

pytestmark = pytest.mark.django_db
LIVE = "/admin/renders/render/live/"
Status = Render.Status


class TestState:
    @pytest.mark.parametrize(
        ("fields", "label", "tone"),
        [
            ({"status": Status.QUEUED}, "Queued", "neutral"),
            ({"status": Status.SUBMITTING}, "Submitting", "info"),
            ({"status": Status.SUBMITTING, "error": "AWS did not answer."}, "Unconfirmed", "warning"),
            ({"status": Status.RENDERING}, "Rendering", "info"),
            ({"status": Status.SUCCEEDED}, "Succeeded", "success"),
            ({"status": Status.FAILED}, "Failed: render error", "danger"),
            ({"status": Status.FAILED, "failure_reason": "lost"}, "Failed: lost", "danger"),
            ({"status": Status.CANCELLED}, "Cancelled", "neutral"),
        ],
    )
    def test_each_status_has_a_label_and_a_tone(self, fields: dict[str, Any], label: str, tone: str) -> None:
        state = live_state(make_render(**fields))
        assert (state["label"], state["tone"]) == (label, tone)
        assert state["isActive"] == (fields["status"] in Render.ACTIVE)

    def test_an_unanswered_start_is_unconfirmed_when_its_time_is_up(self, settings: Any) -> None:
        render = make_render(Status.SUBMITTING, submitted_at=timezone.now() - timedelta(seconds=61))
        assert live_state(render)["label"] == "Unconfirmed"
        settings.REMOTION_START_TIMEOUT = 90
        assert live_state(render)["label"] == "Submitting"

    def test_a_stalled_one_says_since_when(self) -> None:
        now = timezone.now()
        state = live_state(make_render(progressed_at=now - timedelta(minutes=5), answered_at=now))
        assert (state["label"], state["note"]) == ("Stalled", "No progress for 5\N{NO-BREAK SPACE}minutes.")

    def test_one_that_is_to_be_cancelled_says_so_until_it_is(self) -> None:
        now = timezone.now()
        assert live_state(make_render(cancel_requested_at=now))["label"] == "Cancelling"
        assert live_state(make_render(Status.CANCELLED, cancel_requested_at=now))["label"] == "Cancelled"

    def test_a_failed_one_says_why(self) -> None:
        assert live_state(make_render(Status.FAILED, error="Error: boom"))["note"] == "Error: boom"


class TestMarkup:
    def test_only_an_active_render_is_asked_about(self) -> None:
        active, ended = make_render(progress=0.421), make_render(Status.SUCCEEDED)
        assert f'data-render="{active.pk}" data-active ' in live_markup(active)
        assert 'max="1" value="0.4210"' in live_markup(active)
        assert '<span data-live="percent">42%</span>' in live_markup(active)
        assert "data-active" not in live_markup(ended)

    def test_an_error_is_text(self) -> None:
        markup = live_markup(make_render(Status.FAILED, error="<script>alert(1)</script>"))
        assert "&lt;script&gt;" in markup
        assert "<script>" not in markup


class TestAddress:
    @pytest.fixture
    def admin(self, client: Client, user: User) -> Client:
        User.objects.update(is_staff=True)
        grant(user, "view_render")
        client.force_login(user)
        return client

    def ask(self, client: Client, *ids: object) -> Any:
        return client.get(LIVE, {"ids": ",".join(map(str, ids))})

    def test_answers_for_all_that_exist(self, admin: Client) -> None:
        rendering, failed = make_render(progress=0.5), make_render(Status.FAILED, error="boom")
        answer = self.ask(admin, rendering.pk, failed.pk, uuid.uuid4()).json()["renders"]
        assert answer.keys() == {str(rendering.pk), str(failed.pk)}
        assert answer[str(rendering.pk)] == {
            "status": "rendering",
            "isActive": True,
            "progress": 0.5,
            "label": "Rendering",
            "note": "",
            "tone": "info",
        }
        assert answer[str(failed.pk)]["note"] == "boom"

    def test_queries_do_not_grow_with_the_ids(self, admin: Client, django_assert_max_num_queries: Any) -> None:
        renders = [make_render(status) for status in Render.Status for _ in range(10)]
        with django_assert_max_num_queries(11):  # sign-in and permissions; watch, in a transaction; renders, queue
            self.ask(admin, *(render.pk for render in renders))

    def test_what_is_looked_at_is_refreshed_sooner(self, admin: Client) -> None:
        now = timezone.now()
        render = make_render(next_refresh_at=now + timedelta(seconds=15), asked_at=now, answered_at=now)
        self.ask(admin, render.pk)
        state = RefreshState.objects.get(pk=render.pk)
        assert state.watched_at
        assert state.next_refresh_at < now + timedelta(seconds=10)

    def test_nothing_is_asked_for(self, admin: Client) -> None:
        assert admin.get(LIVE).json() == {"renders": {}}

    def test_what_is_no_id_or_too_much_is_refused_in_a_sentence(self, admin: Client) -> None:
        for ids in (["x"], [uuid.uuid4() for _ in range(MAX_IDS + 1)]):
            response = self.ask(admin, *ids)
            assert response.status_code == 400
            assert response.json()["error"].startswith("ids: Send")

    def test_who_may_not_view_renders_is_told_nothing(self, client: Client, user: User) -> None:
        render = make_render()
        assert self.ask(client, render.pk).status_code == 302
        User.objects.update(is_staff=True)
        client.force_login(user)
        assert self.ask(client, render.pk).status_code == 403

    def test_the_list_loads_the_script_with_its_address(self, admin: Client) -> None:
        content = admin.get("/admin/renders/render/").content.decode()
        assert f'data-address="{LIVE}"' in content
        assert "renders/live.js" in content
