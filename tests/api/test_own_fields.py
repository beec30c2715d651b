"""``metadata`` and ``externalId``: what owners mark their renders with."""

import threading
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from rest_framework.test import APIClient

from renders.models import Event, Render, RenderMetadata
from renders.remotion.errors import Throttled
from renders.services.create import create_render
from renders.services.errors import ExternalIdExists
from renders.services.render_request import RenderRequest
from renders.services.retry import retry_render
from tests.api.requests import post
from tests.factories import BODY, INPUT_PROPS, make_render, make_template
from tests.servers import INVOKE, ScriptedServer, reply

pytestmark = pytest.mark.django_db
PATH = "/api/renders/"
MARKED: dict[str, Any] = {**BODY, "metadata": {"shop": "berlin", "note": ""}, "externalId": "order-1"}


class TestMarks:
    def test_they_are_in_the_answer_the_list_and_the_events(self, api: APIClient, numbered: ScriptedServer) -> None:
        created = post(api, PATH, MARKED).json()
        (listed,) = api.get(PATH).json()["results"]
        told = Event.objects.latest("id").data
        for shown in (created, listed, told):
            assert (shown["metadata"], shown["externalId"]) == (MARKED["metadata"], "order-1")

    def test_each_pair_is_a_row_with_owner_and_time_of_the_render(
        self, api: APIClient, user: User, numbered: ScriptedServer
    ) -> None:
        render = Render.objects.get(pk=post(api, PATH, MARKED).json()["id"])
        pairs = RenderMetadata.objects.values_list("render", "owner", "key", "value", "created_at")
        expected: set[Any] = {
            (render.pk, user.pk, key, value, render.created_at) for key, value in MARKED["metadata"].items()
        }
        assert set(pairs) == expected

    def test_remotion_does_not_get_them(self, api: APIClient, numbered: ScriptedServer) -> None:
        post(api, PATH, MARKED)
        assert "Create a rotating" in str(numbered.requests)
        assert "berlin" not in str(numbered.requests)

    def test_a_retry_keeps_them(self, user: User, numbered: ScriptedServer) -> None:
        failed = make_render("failed", owner=user, metadata={"shop": "a"}, external_id="order-1")
        again = retry_render(failed).render
        assert (again.metadata, again.external_id) == ({"shop": "a"}, "order-1")
        assert RenderMetadata.objects.get().render_id == again.pk

    def test_a_start_that_is_deleted_again_leaves_no_pair(self, aws: ScriptedServer) -> None:
        aws.answers[INVOKE] = reply({"Type": "User", "message": "Rate exceeded"}, status=429)
        request = RenderRequest(input_props=INPUT_PROPS, metadata={"shop": "a"})
        with pytest.raises(Throttled):
            create_render(owner=None, request=request, may_wait=False)
        assert not RenderMetadata.objects.exists()

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("metadata", None),
            ("metadata", ["a"]),
            ("metadata", {"a": 1}),
            ("metadata", {"a": None}),
            ("metadata", {"": "a"}),
            ("metadata", {"a:b": "c"}),
            ("metadata", {"k" * 41: "a"}),
            ("metadata", {"a": "v" * 501}),
            ("metadata", {str(number): "" for number in range(21)}),
            ("externalId", ""),
            ("externalId", 5),
            ("externalId", None),
            ("externalId", "x" * 256),
            ("uniqueExternalId", "true"),
            ("uniqueExternalId", True),
        ],
    )
    def test_what_does_not_do_is_told(self, api: APIClient, field: str, value: Any) -> None:
        response = post(api, PATH, {**BODY, field: value})
        assert (response.status_code, list(response.json()["details"])) == (400, [field])
        assert not Render.objects.exists()

    def test_the_limits_themselves_do(self, api: APIClient, numbered: ScriptedServer) -> None:
        metadata = {f"{number:040}": "v" * 500 for number in range(20)}
        assert post(api, PATH, {**BODY, "metadata": metadata, "externalId": "x" * 255}).status_code == 201
        assert RenderMetadata.objects.count() == 20


class TestUniqueExternalId:
    def test_a_second_one_is_refused_with_the_first(self, api: APIClient, numbered: ScriptedServer) -> None:
        first = post(api, PATH, MARKED).json()["id"]
        response = post(api, PATH, {**MARKED, "uniqueExternalId": True})
        assert response.status_code == 409
        assert {name: response.json()[name] for name in ("code", "id")} == {"code": "external_id_exists", "id": first}
        assert Render.objects.count() == 1
        assert post(api, PATH, MARKED).status_code == 201  # it does not ask for it

    def test_another_owner_has_names_of_their_own(self, api: APIClient, numbered: ScriptedServer) -> None:
        make_render(external_id="order-1")
        assert post(api, PATH, {**MARKED, "uniqueExternalId": True}).status_code == 201

    def test_the_same_request_with_its_key_is_the_same_render(self, api: APIClient, numbered: ScriptedServer) -> None:
        body, headers = {**MARKED, "uniqueExternalId": True}, {"Idempotency-Key": "k"}
        first, second = (api.post(PATH, body, format="json", headers=headers) for _ in range(2))
        assert second["Idempotency-Replayed"] == "true"
        assert second.json()["id"] == first.json()["id"]

    def test_it_is_checked_before_an_earlier_render_is_reused(self, api: APIClient, numbered: ScriptedServer) -> None:
        make_template(reuse=True)
        body = {"template": "promo", "externalId": "a", "uniqueExternalId": True, "options": {"concurrency": 2}}
        assert [post(api, PATH, body).status_code for _ in range(2)] == [201, 409]


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_is_created(numbered: ScriptedServer) -> None:
    outcomes: list[str] = []
    barrier = threading.Barrier(2)

    def create() -> None:
        request = RenderRequest(input_props=INPUT_PROPS, external_id="a", unique_external_id=True)
        try:
            barrier.wait(10)
            create_render(owner=None, request=request, may_wait=True)
            outcomes.append("created")
        except ExternalIdExists:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=create) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["created", "refused"]
