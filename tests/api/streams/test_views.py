"""Streams and waiting over sockets, on the server that the sandbox runs."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from rest_framework.test import APIClient

from renders.api.streams import views
from renders.api.streams.postponed import POSTPONED
from renders.models import Event, RefreshState, Render, Scope
from renders.services.api_keys import create_api_key, revoke_key
from renders.services.events.news import News, stored_after
from tests.api.streams.changes import fail, progress, succeed
from tests.api.streams.server import THREADS, Message, Stream, StreamServer, running_stream_server
from tests.factories import make_render
from tests.operations.processes import wait_until

Status, Type = Render.Status, Event.Type


def told(stream: Stream) -> list[tuple[str, Any]]:
    """Read a stream to its end; return the types with the progress."""
    return [(message.type, message.data["data"]["progress"]) for message in stream]


def first(stream: Stream) -> Message:
    return next(iter(stream))


def events_of(render: Render, **query: Any) -> str:
    parameters = "&".join(f"{name}={value}" for name, value in query.items())
    return f"/api/renders/{render.pk}/events/?{parameters}"


class TestRenderStream:
    def test_it_tells_each_change_until_the_end(self, server: StreamServer, user: User) -> None:
        render = make_render(owner=user, progress=0.25)
        stream = server.open(events_of(render), Accept="text/event-stream")
        assert stream.response.status == 200
        assert stream.response.headers["Content-Type"] == "text/event-stream"
        messages = iter(stream)
        assert next(messages).data["data"]["progress"] == 0.25
        progress(render, 0.5)
        message = next(messages)
        assert (message.id, message.type, message.data["data"]["progress"]) == (None, Type.PROGRESSED, 0.5)
        succeed(render)
        (end,) = messages
        event = Event.objects.get()
        assert (end.id, end.type) == (event.id, Type.SUCCEEDED)
        assert end.data == {
            "id": event.id,
            "type": "render.succeeded",
            "timestamp": end.data["timestamp"],
            "data": event.data,
        }

    def test_it_begins_with_what_has_happened(self, server: StreamServer, user: User) -> None:
        render = make_render(owner=user)
        fail(render)
        succeed(render)
        types = [message.type for message in server.open(events_of(render))]
        assert types == [Type.FAILED, Type.RECOVERED, Type.SUCCEEDED]

    def test_an_end_between_two_queries_is_told_as_it_is_stored(
        self, user: User, db: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        render = make_render(owner=user)

        def then_it_ends(*args: Any, **options: Any) -> list[News]:
            found = stored_after(*args, **options)
            if not Event.objects.exists():
                succeed(render)
            return found

        monkeypatch.setattr(views, "stored_after", then_it_ends)
        assert [news.id for news in views._so_far(render, None)] == [Event.objects.get().pk]

    def test_much_stored_progress_does_not_hide_the_end(self, user: User, db: None) -> None:
        render = make_render(owner=user)
        stored = {"type": Type.PROGRESSED, "owner": user, "render": render, "data": {"progress": 0.5}}
        Event.objects.bulk_create(Event(**stored) for _ in range(views.MAX_BEFORE))
        succeed(render)
        assert [news.type for news in views._so_far(render, None)] == [Type.SUCCEEDED]

    @pytest.mark.parametrize(
        "resume", [lambda id_: ({}, {"Last_Event_ID": id_}), lambda id_: ({"lastEventId": id_}, {})]
    )
    def test_a_client_resumes_after_the_event_that_it_names(
        self, server: StreamServer, user: User, resume: Callable[[str], tuple[dict[str, str], dict[str, str]]]
    ) -> None:
        render = make_render(owner=user)
        fail(render)
        succeed(render)
        query, headers = resume(str(Event.objects.all()[0].id))
        types = [message.type for message in server.open(events_of(render, **query), **headers)]
        assert types == [Type.RECOVERED, Type.SUCCEEDED]

    def test_a_browser_does_not_resume_after_the_end(self, server: StreamServer, user: User) -> None:
        render = make_render(owner=user)
        succeed(render)
        assert server.get(events_of(render, lastEventId=Event.objects.get().id)) == (204, None)

    def test_the_end_of_which_no_event_is_kept_is_told(self, server: StreamServer, user: User) -> None:
        render = make_render(Status.SUCCEEDED, owner=user)
        (message,) = server.open(events_of(render))
        assert (message.id, message.type) == (None, Type.SUCCEEDED)

    def test_the_render_counts_as_watched(self, server: StreamServer, user: User) -> None:
        render = make_render(owner=user)
        first(server.open(events_of(render)))
        wait_until_watched(render)

    def test_another_users_render_is_none(self, server: StreamServer, staff: User) -> None:
        render = make_render(owner=staff)
        for path in (events_of(render), "/api/renders/nothing/events/"):
            status, answer = server.get(path, Accept="text/event-stream")
            assert (status, answer["code"]) == (404, "not_found")


class TestFeed:
    def test_it_tells_what_happens_to_the_users_own_renders(
        self, server: StreamServer, user: User, staff: User
    ) -> None:
        own, others = make_render(owner=user), make_render(owner=staff)
        stream = server.open("/api/events/")
        succeed(others)
        succeed(own)
        message = first(stream)
        assert (message.type, message.data["data"]["id"]) == (Type.SUCCEEDED, str(own.pk))

    def test_staff_is_told_of_all(self, server: StreamServer, user: User, staff: User) -> None:
        server.sign_in(staff)
        render = make_render(owner=user)
        stream = server.open("/api/events/")
        succeed(render)
        assert first(stream).data["data"]["id"] == str(render.pk)

    def test_types_choose_what_is_told_before_and_now(self, server: StreamServer, user: User) -> None:
        before, now = make_render(owner=user), make_render(owner=user)
        fail(before)
        succeed(before)
        messages = iter(server.open("/api/events/?lastEventId=0&types=render.succeeded,render.cancelled"))
        assert next(messages).data["data"]["id"] == str(before.pk)
        fail(now)
        succeed(now)
        assert next(messages).data["data"]["id"] == str(now.pk)

    @pytest.mark.parametrize(
        ("query", "headers", "sentence"),
        [
            ("types=render.exploded", {}, "types: Send names separated by commas, of render.queued, "),
            ("lastEventId=new", {}, "lastEventId: Send the id of an event, or leave it out."),
            ("", {"Last_Event_ID": "-1"}, "Last-Event-ID: Send the id of an event, or leave it out."),
        ],
    )
    def test_what_cannot_be_understood_is_told(
        self, server: StreamServer, query: str, headers: dict[str, str], sentence: str
    ) -> None:
        status, answer = server.get(f"/api/events/?{query}", Accept="text/event-stream", **headers)
        assert status == 400
        assert answer["error"].startswith(sentence)


class TestWait:
    def test_it_answers_when_the_render_has_ended(self, server: StreamServer, user: User) -> None:
        render = make_render(owner=user)
        with ThreadPoolExecutor(1) as thread:
            answer = thread.submit(server.get, f"/api/renders/{render.pk}/?wait=60")
            wait_until_watched(render)
            succeed(render)
            status, body = answer.result(30)
        assert (status, body["status"]) == (200, "succeeded")

    def test_it_answers_when_the_time_is_over(self, server: StreamServer, user: User) -> None:
        began = time.monotonic()
        status, body = server.get(f"/api/renders/{make_render(owner=user).pk}/?wait=1")
        assert (status, body["status"]) == (200, "rendering")
        assert time.monotonic() - began >= 1

    def test_those_who_wait_keep_no_thread(self, server: StreamServer, user: User) -> None:
        renders = [make_render(owner=user) for _ in range(3 * THREADS)]
        with ThreadPoolExecutor(len(renders)) as threads:
            answers = [threads.submit(server.get, f"/api/renders/{render.pk}/?wait=60") for render in renders]
            for render in renders:
                wait_until_watched(render)
            assert server.get("/api/renders/")[0] == 200
            for render in renders:
                succeed(render)
            assert {answer.result(30)[1]["status"] for answer in answers} == {"succeeded"}

    def test_a_request_that_was_postponed_is_counted_once(self, api: APIClient, user: User, settings: Any) -> None:
        settings.API_RATE_READ = "1/minute"
        address = f"/api/renders/{make_render(owner=user).pk}/"
        counted: Any = api.get(address)
        environ: dict[str, Any] = {POSTPONED: counted}
        again = api.get(f"{address}?wait=5", **environ)
        assert again.status_code == 200
        assert again.headers["RateLimit"] == counted.headers["RateLimit"]
        assert api.get(address).status_code == 429

    @pytest.mark.parametrize("wait", ["0", "61", "long", ""])
    def test_another_time_is_refused(self, api: APIClient, user: User, wait: str) -> None:
        answer = api.get(f"/api/renders/{make_render(owner=user).pk}/?wait={wait}")
        assert answer.status_code == 400
        assert answer.json()["error"] == "wait: Send a whole number of seconds, 1 to 60."


class TestWithoutASGI:
    @pytest.mark.parametrize("path", ["/api/events/", "/api/renders/{}/events/", "/api/renders/{}/?wait=5"])
    def test_it_is_refused_with_what_to_run(self, api: APIClient, user: User, path: str) -> None:
        answer = api.get(path.format(make_render(owner=user).pk))
        assert (answer.status_code, answer.json()["code"]) == (501, "streams_unavailable")
        assert "uvicorn renderhub.asgi:application" in answer.json()["error"]

    def test_an_ended_render_needs_no_waiting(self, api: APIClient, user: User) -> None:
        answer = api.get(f"/api/renders/{make_render(Status.SUCCEEDED, owner=user).pk}/?wait=5")
        assert answer.status_code == 200

    def test_nobody_follows_without_signing_in(self, db: None) -> None:
        assert APIClient().get("/api/events/", headers={"Accept": "text/event-stream"}).status_code == 401


class TestScopes:
    @pytest.mark.parametrize("path", ["/api/events/", "/api/renders/{}/events/"])
    def test_a_key_needs_the_scope_to_read_renders(self, server: StreamServer, user: User, path: str) -> None:
        address = path.format(make_render(Status.SUCCEEDED, owner=user).pk)
        for scope, status in ((Scope.TEMPLATES_READ, 403), (Scope.RENDERS_READ, 200)):
            _, secret = create_api_key(user=user, name="test", scopes=[scope])
            server.headers = {"Authorization": f"Bearer {secret}"}
            assert server.open(address).response.status == status


@pytest.mark.system
class TestEnds:
    def test_a_stream_ends_when_its_key_is_revoked(self, server: StreamServer, user: User) -> None:
        key, secret = create_api_key(user=user, name="test")
        server.headers = {"Authorization": f"Bearer {secret}"}
        messages = iter(server.open(events_of(make_render(owner=user))))
        next(messages)
        revoke_key(key)
        assert list(messages) == []

    @pytest.mark.parametrize(
        "lose", [lambda user: User.objects.update(is_active=False), lambda _: Session.objects.all().delete()]
    )
    def test_a_stream_ends_when_its_user_may_not_read_on(
        self, server: StreamServer, user: User, lose: Callable[[User], Any]
    ) -> None:
        stream = server.open(events_of(make_render(owner=user)))
        messages = iter(stream)
        next(messages)
        lose(user)
        assert list(messages) == []

    def test_the_server_stops_at_once_with_open_streams(
        self, transactional_db: None, user: User, tmp_path: Path
    ) -> None:
        with running_stream_server(tmp_path / "web.log") as server:
            server.sign_in(user)
            messages = iter(server.open(events_of(make_render(owner=user))))
            next(messages)
            server.process.terminate()
            assert list(messages) == []
            server.process.wait(10)  # it would wait 20 seconds for a request
            server.close_streams()


def wait_until_watched(render: Render) -> None:
    wait_until(lambda: RefreshState.objects.filter(pk=render.pk, watched_at__isnull=False).exists())
