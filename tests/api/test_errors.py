import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.test.client import FakePayload
from django.utils import timezone
from rest_framework.test import APIClient

from renders.api.errors import ANSWERS, ENDED_CODES, exception_handler
from renders.models import Render
from renders.remotion.errors import RemotionError, StillFailed
from renders.services.errors import InvalidRequest, NotVerified, Refused
from tests.api.requests import CREATE, post
from tests.factories import BODY
from tests.servers import INVOKE, Answer, ScriptedServer

pytestmark = pytest.mark.django_db


def subclasses(kind: type[Exception]) -> set[type[Exception]]:
    found: set[type[Exception]] = set()
    for child in kind.__subclasses__():
        found |= {child, *subclasses(child)}
    return found


OURS = sorted((subclasses(RemotionError) | subclasses(Refused) | {NotVerified}) - {StillFailed}, key=str)
"""Those that a view can raise: what failed in a still is answered as its row."""


class TestCodes:
    def test_each_is_snake_case_and_of_one_status(self) -> None:
        statuses: dict[str, set[int]] = {}
        for answer in ANSWERS.values():
            assert re.fullmatch(r"[a-z]+(_[a-z]+)*", answer.code)
            statuses.setdefault(answer.code, set()).add(answer.status)
        assert all(len(found) == 1 for found in statuses.values())

    @pytest.mark.parametrize("kind", OURS)
    def test_each_error_of_ours_has_one(self, kind: type[Exception]) -> None:
        response = exception_handler(kind({"a": "Why."} if issubclass(kind, InvalidRequest) else "Why."), {})
        assert response
        assert "Why." in response.data["error"]
        assert response.data["code"] != "server_error"

    @pytest.mark.parametrize("replayed", ["failed", "cancelled"])
    def test_a_replayed_start_that_came_to_nothing_has_one(
        self, api: APIClient, user: User, aws: ScriptedServer, replayed: str
    ) -> None:
        aws.answers[INVOKE] = Answer(reset=True)
        first = api.post(CREATE[0], BODY, format="json", headers={"Idempotency-Key": "a"})
        assert (first.status_code, first.json()["code"]) == (504, "outcome_unknown")
        second = api.post(CREATE[0], BODY, format="json", headers={"Idempotency-Key": "a"})
        assert (second.status_code, second.json()["code"]) == (504, "outcome_unknown")
        reason = "lost" if replayed == "failed" else ""
        Render.objects.update(status=replayed, failure_reason=reason, finished_at=timezone.now())
        third = api.post(CREATE[0], BODY, format="json", headers={"Idempotency-Key": "a"})
        assert (third.status_code, third.json()["code"]) == (502, reason or replayed)
        assert third.json()["code"] in ENDED_CODES

    @pytest.mark.parametrize(
        ("method", "path", "options", "status", "code"),
        [
            ("get", "/api/renders/6f8a7a2e-0000-4000-8000-000000000000", {}, 404, "not_found"),
            ("put", "/api/renders/", {}, 405, "method_not_allowed"),
            ("get", "/api/renders/", {"headers": {"Accept": "text/html"}}, 406, "not_acceptable"),
            ("post", "/api/renders/", {"data": "a", "content_type": "text/plain"}, 415, "unsupported_media_type"),
            ("post", "/api/renders/", {"data": "{", "content_type": "application/json"}, 400, "invalid_request"),
        ],
    )
    def test_those_of_http(
        self, api: APIClient, method: str, path: str, options: dict[str, Any], status: int, code: str
    ) -> None:
        response = getattr(api, method)(path, **options)
        assert (response.status_code, response.json()["code"]) == (status, code)
        assert response.json()["error"].endswith(".")

    @pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
    @pytest.mark.parametrize("length", [3, 3_000_000])
    def test_a_form_with_a_session_is_no_failure_of_ours(self, user: User, content_type: str, length: int) -> None:
        client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        client.force_login(user)
        response = client.post(CREATE[1], b"x" * length, content_type=content_type)
        assert response.status_code in (400, 403, 413)

    def test_a_session_cookie_that_is_none_is_no_failure_of_ours(self, db: None) -> None:
        client = Client(headers={"Cookie": r'sessionid="abcdefgh\000"'}, raise_request_exception=False)
        assert client.get("/api/renders/").status_code == 401

    def test_a_client_that_leaves_is_no_failure_of_ours(self, api: APIClient, monkeypatch: Any) -> None:
        def gone(*_: Any) -> bytes:
            raise ConnectionResetError

        monkeypatch.setattr(FakePayload, "read", gone)
        response = post(api, CREATE[1], BODY)
        assert (response.status_code, response.json()["code"]) == (400, "invalid_request")


class TestElsewhere:
    def test_an_unknown_address_of_the_api_is_json(self) -> None:
        response = Client().get("/api/nothing")
        assert (response.status_code, list(response.json())) == (404, ["error", "code"])

    def test_a_failure_of_our_own_is_json_without_details(self, api: APIClient, monkeypatch: Any) -> None:
        monkeypatch.setattr("renders.api.renders.create.create_render", lambda **_: 1 / 0)
        response = post(api, "/api/lambda/render", BODY)
        assert response.status_code == 500
        assert "ZeroDivisionError" not in response.content.decode()
        assert response.json()["code"] == "server_error"

    def test_the_front_page_leads_to_the_admin(self) -> None:
        assert Client().get("/")["Location"] == "/admin/"
