"""``/api/webhook-endpoints/``: who may, what comes in, what goes out."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from renders.models import Render, WebhookAttempt, WebhookEndpoint, WebhookMessage
from renders.services.webhooks.secrets import secret_of
from tests.api.requests import post
from tests.factories import INPUT_PROPS, make_endpoint, make_message, make_render
from tests.servers import ScriptedServer

pytestmark = pytest.mark.django_db
LIST = "/api/webhook-endpoints/"
URL = "https://example.com/hook"
Status = WebhookMessage.Status


@pytest.fixture
def endpoint(user: User) -> WebhookEndpoint:
    return make_endpoint(user, URL)


def at(endpoint: WebhookEndpoint, path: str = "") -> str:
    return f"{LIST}{endpoint.pk}/{path}"


class TestCreate:
    def test_it_is_answered_with_its_secret(self, api: APIClient, user: User) -> None:
        body = {"url": URL, "events": ["render.failed"], "description": "Ours"}
        response = post(api, LIST, body)
        endpoint = WebhookEndpoint.objects.get()
        told = response.json()
        assert response.status_code == 201
        assert response["Location"].endswith(f"{LIST}{endpoint.pk}")
        assert endpoint.owner == user
        assert told == told | body | {"id": str(endpoint.pk), "enabled": True, "secret": secret_of(endpoint)}
        assert "secret" not in api.get(at(endpoint)).json()
        assert response.headers["Cache-Control"] == "no-store"

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "url"),
            ({"url": 1}, "url"),
            ({"url": ""}, "url"),
            ({"url": None}, "url"),
            ({"url": "example.com"}, "url"),
            ({"url": "https://ada:b@example.com"}, "url"),
            ({"url": URL, "events": "render.failed"}, "events"),
            ({"url": URL, "events": [1]}, "events"),
            ({"url": URL, "events": ["render.done"]}, "events"),
            ({"url": URL, "events": None}, "events"),
            ({"url": URL, "description": "a" * 256}, "description"),
            ({"url": URL, "description": 1}, "description"),
            ({"url": URL, "enabled": "yes"}, "enabled"),
            ({"url": URL, "secret": "mine"}, "secret"),
        ],
    )
    def test_what_cannot_be_used_is_told_beside_its_field(
        self, api: APIClient, body: dict[str, Any], field: str
    ) -> None:
        response = post(api, LIST, body)
        assert response.status_code == 400
        assert list(response.json()["details"]) == [field]
        assert not WebhookEndpoint.objects.exists()

    @pytest.mark.parametrize("url", ["http://example.com/", "https://127.0.0.1/", "https://[::ffff:10.0.0.1]/"])
    def test_nothing_in_our_own_network(self, api: APIClient, settings: Any, url: str) -> None:
        settings.WEBHOOK_ALLOW_PRIVATE = False
        assert post(api, LIST, {"url": url}).status_code == 400

    def test_without_a_lasting_key_it_is_not_set_up(self, api: APIClient, settings: Any) -> None:
        settings.WEBHOOK_SIGNING_KEY, settings.SECRET_KEY_IS_GENERATED = "", True
        response = post(api, LIST, {"url": URL})
        assert (response.status_code, response.json()["code"]) == (500, "not_set_up")
        assert not WebhookEndpoint.objects.exists()


class TestChange:
    def test_only_what_is_sent_changes(self, api: APIClient, endpoint: WebhookEndpoint) -> None:
        response = api.patch(at(endpoint), {"description": "New"}, format="json")
        assert (response.status_code, response.json()["description"], response.json()["url"]) == (200, "New", URL)

    def test_that_of_render_urls_has_no_url(self, api: APIClient, user: User) -> None:
        own = make_endpoint(user, "")
        assert api.get(at(own)).json()["isForRenderUrls"] is True
        response = api.patch(at(own), {"url": URL}, format="json")
        assert (response.status_code, list(response.json()["details"])) == (400, ["url"])

    def test_delete(self, api: APIClient, endpoint: WebhookEndpoint) -> None:
        assert api.delete(at(endpoint)).status_code == 204
        assert api.get(at(endpoint)).status_code == 404

    def test_rotate(self, api: APIClient, endpoint: WebhookEndpoint) -> None:
        read = api.get(at(endpoint, "secret/"))
        before = read.json()["secret"]
        rotated = post(api, at(endpoint, "rotate-secret/"))
        assert rotated.status_code == 200
        assert read.headers["Cache-Control"] == rotated.headers["Cache-Control"] == "no-store"
        assert rotated.json()["secret"] == api.get(at(endpoint, "secret/")).json()["secret"] != before
        assert rotated.json()["previousSecretUntil"]
        again = post(api, at(endpoint, "rotate-secret/"))
        assert (again.status_code, again.json()["code"]) == (409, "conflict")


class TestMessages:
    def test_each_has_its_body_and_attempts(self, api: APIClient, endpoint: WebhookEndpoint) -> None:
        render = make_render()
        message = make_message(endpoint, render, attempt_count=1)
        WebhookAttempt.objects.create(message=message, duration_ms=7, status_code=500, answer="No.", error="It failed.")
        (told,) = api.get(at(endpoint, "messages/")).json()["results"]
        assert told == told | {"id": f"msg_{message.pk}", "render": str(render.pk), "status": "pending", "url": URL}
        assert told["body"]["data"] == {"id": "a"}
        attempt = told["attempts"][0]
        assert attempt == attempt | {"durationMs": 7, "statusCode": 500, "answer": "No.", "error": "It failed."}
        assert api.get(at(endpoint, f"messages/msg_{message.pk}/")).json() == told

    def test_pages_and_status(self, api: APIClient, endpoint: WebhookEndpoint) -> None:
        messages = [make_message(endpoint, status=status) for status in (*Status.values, *Status.values)]
        page = api.get(at(endpoint, "messages/?pageSize=4")).json()
        rest = api.get(page["next"]).json()
        ids = [told["id"] for told in (*page["results"], *rest["results"])]
        assert ids == [f"msg_{message.pk}" for message in reversed(messages)]
        failed = api.get(at(endpoint, "messages/?status=failed")).json()["results"]
        assert {told["status"] for told in failed} == {"failed"}
        assert len(failed) == 2
        assert api.get(at(endpoint, "messages/?status=lost")).status_code == 400

    def test_a_page_costs_the_same_however_long(
        self, api: APIClient, endpoint: WebhookEndpoint, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(20):
            WebhookAttempt.objects.create(message=make_message(endpoint, make_render()), duration_ms=1)
        with django_assert_max_num_queries(3):
            assert len(api.get(at(endpoint, "messages/")).json()["results"]) == 20

    def test_ping_and_replay(self, api: APIClient, endpoint: WebhookEndpoint) -> None:
        pinged = post(api, at(endpoint, "ping/"))
        assert (pinged.status_code, pinged.json()["type"], pinged.json()["status"]) == (202, "ping", "pending")
        path = at(endpoint, f"messages/{pinged.json()['id']}/replay/")
        assert post(api, path).status_code == 409
        WebhookMessage.objects.update(status=Status.FAILED)
        replayed = post(api, path)
        assert (replayed.status_code, replayed.json()["status"]) == (202, "pending")
        assert replayed.json()["nextAttemptAt"]

    def test_replay_failed(self, api: APIClient, endpoint: WebhookEndpoint) -> None:
        make_message(endpoint, status=Status.FAILED)
        since = (timezone.now() - timedelta(hours=1)).isoformat().replace("+00:00", "Z")
        response = post(api, at(endpoint, "replay-failed/"), {"since": since})
        assert (response.status_code, response.json()) == (202, {"replayed": 1})

    @pytest.mark.parametrize("body", [{}, {"since": "yesterday"}, {"since": 5}, {"since": "2026-03-01T00:00:00"}])
    def test_it_needs_a_time_with_its_zone(self, api: APIClient, endpoint: WebhookEndpoint, body: Any) -> None:
        response = post(api, at(endpoint, "replay-failed/"), body)
        assert (response.status_code, list(response.json()["details"])) == (400, ["since"])

    @pytest.mark.parametrize("name", ["msg_0", "5", "msg_", "msg_x", "msg_" + "9" * 30, "msg_٣"])
    def test_one_that_does_not_exist(self, api: APIClient, endpoint: WebhookEndpoint, name: str) -> None:
        assert api.get(at(endpoint, f"messages/{name}/")).status_code == 404
        assert post(api, at(endpoint, f"messages/{name}/replay/")).status_code == 404


ADDRESSES = [
    ("get", ""), ("patch", ""), ("delete", ""), ("post", "ping/"), ("get", "secret/"), ("post", "rotate-secret/"),
    ("get", "messages/"), ("get", "messages/{message}/"), ("post", "messages/{message}/replay/"),
    ("post", "replay-failed/"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
class TestWho:
    def call(self, client: APIClient, endpoint: WebhookEndpoint, method: str, path: str) -> Any:
        message = make_message(endpoint, status=Status.FAILED)
        body = {"since": "2026-03-01T00:00:00Z"} if path == "replay-failed/" else {}
        address = at(endpoint, path.format(message=message))
        return getattr(client, method)(address, body if method in ("post", "patch") else None, format="json")

    def test_anothers_is_not_found_not_even_by_a_superuser(
        self, api: APIClient, staff: User, endpoint: WebhookEndpoint, method: str, path: str
    ) -> None:
        before = WebhookEndpoint.objects.values().get()
        for client_user in (User.objects.create_user("eve"), staff):
            client = APIClient()
            client.force_authenticate(client_user)
            response = self.call(client, endpoint, method, path)
            assert (response.status_code, response.json()["code"]) == (404, "not_found")
        assert WebhookEndpoint.objects.values().get() == before
        assert not WebhookMessage.objects.pending().exists()
        assert self.call(api, endpoint, method, path).status_code < 300

    @pytest.mark.parametrize("is_open", [False, True])
    def test_without_signing_in_it_is_401_even_where_the_api_is_open(
        self, endpoint: WebhookEndpoint, settings: Any, method: str, path: str, is_open: bool
    ) -> None:
        settings.API_ALLOW_ANONYMOUS = is_open
        assert self.call(APIClient(), endpoint, method, path).status_code == 401
        assert APIClient().get(LIST).status_code == 401


def test_the_list_is_ones_own(api: APIClient, staff: User, endpoint: WebhookEndpoint) -> None:
    make_endpoint(staff, URL)
    WebhookEndpoint.objects.create(owner=None, url=URL)
    assert [told["id"] for told in api.get(LIST).json()["results"]] == [str(endpoint.pk)]


@pytest.mark.parametrize("name", ["6f1c1d0e-0c65-4cf5-9a43-64a9c3a3fd3a", "-" * 36, "1", "a" * 36])
def test_an_endpoint_that_does_not_exist(api: APIClient, name: str) -> None:
    assert api.get(f"{LIST}{name}/").status_code == 404


class TestWebhookUrl:
    def create(self, client: APIClient, webhook_url: Any) -> Any:
        return post(client, "/api/renders/", {"inputProps": INPUT_PROPS, "webhookUrl": webhook_url})

    def test_it_is_stored_and_its_secret_can_be_read_at_once(
        self, api: APIClient, aws: ScriptedServer, user: User
    ) -> None:
        response = self.create(api, URL)
        assert (response.status_code, response.json()["webhookUrl"]) == (201, URL)
        assert Render.objects.get().webhook_url == URL
        own = WebhookEndpoint.objects.get()
        assert (own.owner, own.url) == (user, "")
        assert api.get(at(own, "secret/")).json() == {"secret": secret_of(own)}
        self.create(api, URL)
        assert WebhookEndpoint.objects.count() == 1

    def test_a_retry_keeps_it(self, api: APIClient, aws: ScriptedServer, user: User) -> None:
        render = make_render(Render.Status.FAILED, owner=user, webhook_url=URL)
        assert post(api, f"/api/renders/{render.pk}/retry/").json()["webhookUrl"] == URL

    @pytest.mark.parametrize("url", ["", "example.com", 1, None, "https://ada:b@example.com/"])
    def test_one_that_cannot_be_used(self, api: APIClient, aws: ScriptedServer, url: Any) -> None:
        response = self.create(api, url)
        assert (response.status_code, list(response.json()["details"])) == (400, ["webhookUrl"])
        assert not Render.objects.exists()

    def test_without_a_user_there_is_no_secret_and_so_no_url(self, aws: ScriptedServer, settings: Any) -> None:
        settings.API_ALLOW_ANONYMOUS = True
        assert self.create(APIClient(), URL).status_code == 401
        assert not Render.objects.exists()
