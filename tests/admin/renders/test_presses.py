from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from renders.models import Render, WebhookMessage
from tests.factories import BUCKET, grant, load_recording, make_endpoint, make_message, make_render
from tests.servers import ScriptedServer, reply, s3_error

pytestmark = pytest.mark.django_db
Status = Render.Status
POSTS = ("refresh", "cancel", "repeat", "webhook", "link")


def address(render: Render, name: str) -> str:
    return f"/admin/renders/render/{render.pk}/{name}/"


def press(admin: Client, render: Render, name: str) -> str:
    """Press a button; return the page that it leads to."""
    response = admin.post(address(render, name), follow=True)
    assert response.status_code == 200
    return response.content.decode()


def logged(render: Render) -> list[tuple[str, str]]:
    entries = LogEntry.objects.filter(object_id=str(render.pk)).order_by("pk")
    return [(entry.get_change_message(), entry.user.get_username()) for entry in entries]


class TestPresses:
    def test_refresh_reads_it_anew(self, admin: Client, aws: ScriptedServer) -> None:
        render = make_render()
        aws.answers[f"/{BUCKET}/renders/{render.render_id}/"] = reply(load_recording("succeeds")[-1]["progress.json"])
        assert "Refreshed: it is succeeded." in press(admin, render, "refresh")
        assert Render.objects.get().status == Status.SUCCEEDED
        assert logged(render) == [("Refreshed.", "grace")]

    def test_a_refresh_that_fails_says_why(self, admin: Client, aws: ScriptedServer) -> None:
        render = make_render()
        aws.answers[f"/{BUCKET}/renders/{render.render_id}/"] = s3_error(403, "AccessDenied")
        assert "AWS does not let these credentials" in press(admin, render, "refresh")

    def test_cancel_ends_a_queued_one_at_once(self, admin: Client) -> None:
        render = make_render(Status.QUEUED)
        assert "It is cancelled." in press(admin, render, "cancel")
        assert Render.objects.get().status == Status.CANCELLED
        assert logged(render) == [("Cancelled.", "grace")]

    def test_cancel_waits_for_no_other(self, admin: Client, aws: ScriptedServer) -> None:
        render = make_render()
        assert "It is being cancelled" in press(admin, render, "cancel")
        assert Render.objects.get().cancel_requested_at
        assert aws.requests == []
        assert logged(render) == [("Asked to cancel.", "grace")]

    def test_repeat_leads_to_the_new_one(self, admin: Client, aws: ScriptedServer) -> None:
        render = make_render(Status.FAILED)
        response = admin.post(address(render, "repeat"))
        created = Render.objects.get(retry_of=render)
        assert response.headers["Location"] == f"/admin/renders/render/{created.pk}/change/"
        assert created.status == Status.QUEUED
        assert logged(render) == [(f"Repeated as {created.pk}.", "grace")]
        assert logged(created) == [(f"Started as a repetition of {render.pk}.", "grace")]

    @pytest.mark.parametrize(
        ("name", "status", "words"),
        [
            ("cancel", Status.SUCCEEDED, "The render has ended already"),
            ("repeat", Status.RENDERING, "only one that failed or was cancelled can be repeated"),
        ],
    )
    def test_what_is_refused_is_told_and_not_logged(self, admin: Client, name: str, status: str, words: str) -> None:
        render = make_render(status)
        assert words in press(admin, render, name)
        assert logged(render) == []

    def test_download_leads_to_a_file_of_its_name(self, admin: Client) -> None:
        render = make_render(Status.SUCCEEDED)
        response = admin.get(address(render, "download"))
        assert response.status_code == 302
        assert response.headers["Location"].startswith(f"https://{BUCKET}.s3.amazonaws.com/renders/abc123/out.mp4?")
        assert f"{render.pk}.mp4" in response.headers["Location"]
        assert "no-store" in response.headers["Cache-Control"]
        assert logged(render) == [("Downloaded the output.", "grace")]

    def test_a_link_is_answered_to_the_script(self, admin: Client) -> None:
        render = make_render(Status.SUCCEEDED)
        answer = admin.post(address(render, "link"), headers={"Accept": "application/json"}).json()
        assert answer["url"].startswith(f"https://{BUCKET}.s3.amazonaws.com/renders/abc123/out.mp4?")
        assert "UTC" in answer["said"]
        assert logged(render)[0][0].startswith("Copied a link to the output that works until")

    def test_without_an_output_there_is_no_link(self, admin: Client) -> None:
        response = admin.post(address(make_render(), "link"), headers={"Accept": "application/json"})
        assert response.status_code == 409
        assert "there is nothing to download yet" in response.json()["error"]
        assert not LogEntry.objects.exists()


class TestSendWebhookAgain:
    def test_each_endpoint_is_told_the_last_event_again(self, admin: Client, user: User) -> None:
        render = make_render(Status.SUCCEEDED, owner=user)
        first, second = (make_endpoint(user, f"https://{name}.example/") for name in ("shop", "crm"))
        earlier = make_message(first, render, status="delivered")
        last = make_message(first, render, status="failed")
        same = make_message(second, render, status="delivered")
        WebhookMessage.objects.filter(pk=same.pk).update(event=last.event)
        assert "2 queued: a worker sends them." in press(admin, render, "webhook")
        pending = WebhookMessage.objects.pending().values_list("pk", flat=True)
        assert set(pending) == {last.pk, same.pk}
        assert earlier.pk not in pending
        assert {message for message, _ in logged(render)} == {
            f"Sent the webhook render.succeeded to https://{name}.example/ again." for name in ("shop", "crm")
        }

    def test_a_disabled_endpoint_is_told(self, admin: Client, user: User) -> None:
        render = make_render(Status.SUCCEEDED, owner=user)
        make_message(make_endpoint(user, "https://shop.example/", enabled=False), render, status="failed")
        content = press(admin, render, "webhook")
        assert "The endpoint is disabled" in content
        assert "No webhook was sent again." in content
        assert logged(render) == []


class TestWhoMayPress:
    @pytest.fixture
    def support(self, client: Client, user: User) -> Client:
        User.objects.update(is_staff=True)
        client.force_login(user)
        return client

    @pytest.mark.parametrize("name", ["refresh", "link"])
    def test_whoever_may_view_may_refresh_and_copy_the_link(
        self, support: Client, user: User, aws: ScriptedServer, name: str
    ) -> None:
        render = make_render(Status.SUCCEEDED)
        assert support.post(address(render, name)).status_code == 403
        grant(user, "view_render")
        assert support.post(address(render, name)).status_code in (200, 302)

    @pytest.mark.parametrize("name", ["cancel", "repeat", "webhook"])
    def test_only_whoever_may_change_may_press_the_others(self, support: Client, user: User, name: str) -> None:
        render = make_render(Status.QUEUED)
        grant(user, "view_render")
        assert support.post(address(render, name)).status_code == 403
        assert Render.objects.get().status == Status.QUEUED
        grant(user, "change_render")
        assert support.post(address(render, name)).status_code == 302

    @pytest.mark.parametrize("name", POSTS)
    def test_a_link_from_elsewhere_presses_nothing(self, staff: User, name: str) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(staff)
        render = make_render(Status.QUEUED)
        assert client.get(address(render, name)).status_code == 405
        assert client.post(address(render, name)).status_code == 403
        assert Render.objects.get().status == Status.QUEUED

    @pytest.mark.parametrize("name", [*POSTS, "download"])
    def test_who_is_not_signed_in_is_asked_to(self, client: Client, name: str) -> None:
        response: Any = client.get(address(make_render(), name))
        assert response.headers["Location"].startswith("/admin/login/")

    def test_an_unknown_render_is_not_found(self, admin: Client) -> None:
        assert admin.post(address(Render(), "refresh")).status_code == 404
