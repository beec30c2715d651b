"""Each address of the API, asked by those whose rows it is not about: nothing is told, nothing is changed.

The requests come from the URL conf, so a new address or method without a case fails here.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, cast

import pytest
from django.contrib.auth.models import User
from django.http import StreamingHttpResponse
from django.urls import reverse
from rest_framework.test import APIClient

from renders.api.streams.postponed import LOOP
from renders.api.urls import urlpatterns
from renders.services.api_keys import create_api_key
from renders.services.events.hub import hub
from renders.services.events.news import Topic, of_owner
from tests.api.address_cases import IDS, REQUESTS, SIGN_IN_FIRST, Case, Key
from tests.api.owned_rows import NAME, Things, make_one_of_everything
from tests.factories import BUCKET, load_recording, make_endpoint
from tests.servers import ScriptedServer, reply

pytestmark = pytest.mark.django_db


@pytest.fixture
def hers(db: None) -> Things:
    return make_one_of_everything()


@pytest.fixture
def eve(db: None) -> User:
    return User.objects.create_user("eve")


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> list[Topic]:
    """The topics of the streams that were opened; the hub tells them nothing."""
    topics: list[Topic] = []
    monkeypatch.setattr(hub, "subscribe", lambda subscription: topics.append(subscription.topic))
    return topics


@pytest.fixture(autouse=True)
def aws(numbered: ScriptedServer, webhook_secret: None) -> ScriptedServer:
    numbered.answers[f"/{BUCKET}/"] = reply(load_recording("succeeds")[3]["progress.json"])
    return numbered


def client_of(user: User) -> APIClient:
    _, secret = create_api_key(user=user, name="client")
    return APIClient(headers={"Authorization": f"Bearer {secret}"}, raise_request_exception=False)


def filled(value: Any, names: Mapping[str, str]) -> Any:
    """Return a body with ``{name}`` replaced in its texts."""
    if isinstance(value, dict):
        return {name: filled(inner, names) for name, inner in value.items()}
    return value.format_map(names) if isinstance(value, str) and value.startswith("{") else value


def ask(client: APIClient, key: Key, case: Case, things: Things) -> tuple[int, str]:
    """Return the status, and all that is told: headers and body, of a stream its first part."""
    name, method = key
    patterns: list[Any] = urlpatterns
    parameters = next(list(each.pattern.regex.groupindex) for each in patterns if each.name == name)
    address = reverse(name, kwargs=dict(zip(parameters, (things.names[at] for at in case.at), strict=True)))
    query = f"?{case.query.format_map(things.names)}" if case.query else ""
    body = "" if case.body is None else json.dumps(filled(case.body, things.names))
    loop = asyncio.new_event_loop()
    in_loop: dict[str, Any] = {LOOP: loop}
    try:
        response: Any = client.generic(
            method, address + query, body, "application/json", headers=case.headers, **in_loop
        )
        return response.status_code, f"{dict(response.headers)}{_body(response, loop)}"
    finally:
        loop.close()


def _body(response: Any, loop: asyncio.AbstractEventLoop) -> str:
    if not isinstance(response, StreamingHttpResponse):
        return cast("str", response.content.decode())
    if not response.is_async:
        return b"".join(cast("Iterator[bytes]", response)).decode()
    stream = cast("AsyncIterator[bytes]", response._iterator)  # type: ignore[attr-defined]
    return loop.run_until_complete(anext(stream)).decode()


@pytest.mark.parametrize(("key", "case"), REQUESTS, ids=IDS)
class TestEachAddress:
    def test_another_owner_is_told_nothing_and_changes_nothing(
        self, hers: Things, eve: User, followed: list[Topic], aws: ScriptedServer, key: Key, case: Case | None
    ) -> None:
        assert case, f"Say in CASES what {key} answers to those whose rows it is not about."
        owner, outsider = client_of(hers.owner), client_of(eve)
        if case.is_repeated:
            ask(owner, key, case, hers)
        before, asked = hers.rows(), len(aws.requests)
        status, told = ask(outsider, key, case, hers)
        assert status == case.other, told
        assert not [secret for secret in hers.secrets if secret in told.replace(f"owner={NAME}", "")]
        assert hers.rows() == before
        assert set(followed) <= {of_owner(eve.pk)}
        if case.other >= 400:
            assert len(aws.requests) == asked
        # The request is right: its owner is answered.
        status, told = ask(owner, key, case, hers)
        assert status == case.own, told
        assert not case.is_told or any(secret in told for secret in hers.secrets)

    @pytest.mark.parametrize("may_be_anonymous", [False, True])
    def test_nor_is_somebody_who_has_not_signed_in(
        self, hers: Things, settings: Any, followed: list[Topic], key: Key, case: Case | None, may_be_anonymous: bool
    ) -> None:
        assert case
        settings.API_ALLOW_ANONYMOUS = may_be_anonymous
        before = hers.rows()
        status, told = ask(APIClient(raise_request_exception=False), key, case, hers)
        is_open = key[0] in ("openapi", "swagger", "redoc") or may_be_anonymous
        if not is_open or key[0].startswith(SIGN_IN_FIRST):
            assert status == 401, told
        else:
            assert status in (case.other, 401), told
        assert not [secret for secret in hers.secrets if secret in told]
        assert hers.rows() == before
        assert set(followed) <= {of_owner(None)}


class TestMixedAddresses:
    @pytest.mark.parametrize(("method", "suffix"), [("get", ""), ("post", "replay/")])
    def test_anothers_message_is_not_under_ones_own_endpoint(
        self, hers: Things, eve: User, method: str, suffix: str
    ) -> None:
        endpoint = make_endpoint(eve, "https://example.com/")
        before = hers.rows()
        path = f"/api/webhook-endpoints/{endpoint.pk}/messages/{hers.names['message']}/{suffix}"
        assert getattr(client_of(eve), method)(path).status_code == 404
        assert hers.rows() == before


class TestWords:
    """What there is cannot be told from what there is not."""

    @pytest.mark.parametrize("path", ["/api/renders/", "/api/batches/", "/api/usage/"])
    def test_of_usernames(self, hers: Things, eve: User, path: str) -> None:
        client = client_of(eve)
        known, unknown = (client.get(f"{path}?owner={name}") for name in (NAME, "nobody"))
        assert (known.status_code, known.json()) == (unknown.status_code, unknown.json())

    @pytest.mark.parametrize(
        ("at", "path"),
        [
            ("rendering", "/api/renders/{}/"),
            ("rendering", "/api/renders/{}/?wait=1"),
            ("rendering", "/api/renders/{}/events/"),
            ("succeeded", "/api/renders/{}/download/"),
            ("batch", "/api/batches/{}/"),
            ("batch", "/api/renders/?batch={}"),
            ("endpoint", "/api/webhook-endpoints/{}/"),
            ("endpoint", "/api/webhook-endpoints/{}/messages/"),
        ],
    )
    def test_of_rows(self, hers: Things, eve: User, at: str, path: str) -> None:
        client = client_of(eve)
        nothing = "00000000-0000-4000-8000-000000000000"
        known, unknown = (client.get(path.format(pk)) for pk in (hers.names[at], nothing))
        assert (known.status_code, known.json()) == (unknown.status_code, unknown.json())
