"""``"dryRun": true`` on both create endpoints: told is what the request would get, and nothing is stored."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from renders.models import Event, Quota, Render
from tests.factories import BODY, INPUT_PROPS, grant, make_render, make_template
from tests.servers import ScriptedServer

pytestmark = pytest.mark.django_db
Status = Render.Status
PATHS = ["/api/renders/", "/api/lambda/render"]


def try_out(api: APIClient, path: str = "/api/renders/", *, headers: Any = None, **changes: Any) -> Any:
    before = Render.objects.count(), Event.objects.count()
    response = api.post(path, {**BODY, "dryRun": True, **changes}, format="json", headers=headers)
    assert (Render.objects.count(), Event.objects.count()) == before
    return response


@pytest.mark.parametrize("path", PATHS)
class TestBothEndpoints:
    def test_a_valid_request_is_told_its_slots_and_cost(self, api: APIClient, aws: ScriptedServer, path: str) -> None:
        make_render(Status.SUCCEEDED, cost=0.5, currency="USD", duration_in_frames=100)
        response = try_out(api, path)
        assert (response.status_code, response.json()) == (
            200,
            {"valid": True, "errors": {}, "warnings": [], "slots": 4, "estimatedCost": 0.75, "currency": "USD"},
        )
        assert aws.requests == []

    def test_an_invalid_one_is_told_the_details_that_the_request_would_get(
        self, api: APIClient, aws: ScriptedServer, path: str
    ) -> None:
        invalid = {"inputProps": {**INPUT_PROPS, "fps": 0}, "priorty": 3}
        refused = api.post(path, {**BODY, **invalid}, format="json")
        response = try_out(api, path, **invalid)
        assert refused.status_code == 400
        assert (response.status_code, response.json()["valid"]) == (200, False)
        told = response.json()["errors"]
        assert told["inputProps"] == refused.json()["details"]["inputProps"]
        assert told.keys() == refused.json()["details"].keys()

    def test_what_cannot_be_read_is_400(self, api: APIClient, path: str) -> None:
        response = api.post(path, '{"dryRun": true,', content_type="application/json")
        assert response.status_code == 400
        assert try_out(api, path, dryRun="yes").status_code == 400
        assert api.post(path, "[]", content_type="application/json").status_code == 400

    def test_a_quota_that_refuses_is_an_error(self, api: APIClient, user: User, aws: ScriptedServer, path: str) -> None:
        Quota.objects.create(owner=user, max_cost_per_month=0)
        answer = try_out(api, path).json()
        assert answer["valid"] is False
        assert "may cost 0.00 USD a month" in answer["errors"]["quota"][0]

    def test_no_free_slots_are_a_warning(self, api: APIClient, aws: ScriptedServer, path: str) -> None:
        make_render(slots_needed=200)
        answer = try_out(api, path).json()
        assert answer["valid"] is True
        assert any("No slots are free" in warning for warning in answer["warnings"])

    def test_where_it_is_not_set_up_it_says_so(self, api: APIClient, settings: Any, path: str) -> None:
        settings.REMOTION_AWS_ACCESS_KEY_ID = ""
        response = try_out(api, path)
        assert (response.status_code, response.json()["code"]) == (500, "not_set_up")

    def test_false_is_an_ordinary_request(self, api: APIClient, numbered: ScriptedServer, path: str) -> None:
        response = api.post(path, {**BODY, "dryRun": False}, format="json", headers={"Idempotency-Key": "a"})
        again = api.post(path, BODY, format="json", headers={"Idempotency-Key": "a"})
        assert response.json()["id"] == again.json()["id"]
        assert Render.objects.count() == 1


class TestRenders:
    def test_options_and_templates_are_checked(self, api: APIClient, aws: ScriptedServer) -> None:
        assert list(try_out(api, options={"codec": "h999"}).json()["errors"]) == ["options"]
        assert list(try_out(api, template="none").json()["errors"]) == ["template"]
        make_template("off", enabled=False)
        assert list(try_out(api, template="off").json()["errors"]) == ["template"]
        assert list(try_out(api, headers={"Idempotency-Key": "é"}).json()["errors"]) == ["Idempotency-Key"]

    def test_a_priority_that_may_not_be_asked_for_is_an_error(
        self, api: APIClient, user: User, aws: ScriptedServer
    ) -> None:
        answer = try_out(api, priority=5).json()
        assert "start_render_with_priority" in answer["errors"]["priority"][0]
        grant(user, "start_render_with_priority")
        api.force_authenticate(User.objects.get(pk=user.pk))
        assert try_out(api, priority=5).json()["valid"] is True
        Quota.objects.create(owner=user, max_priority=1)
        assert "send 1 or less" in try_out(api, priority=5).json()["errors"]["priority"][0]

    def test_an_external_id_that_is_not_unique_is_an_error(
        self, api: APIClient, user: User, aws: ScriptedServer
    ) -> None:
        render = make_render(owner=user, external_id="order-1")
        asked: dict[str, Any] = {"externalId": "order-1", "uniqueExternalId": True}
        assert str(render.pk) in try_out(api, **asked).json()["errors"]["externalId"][0]
        assert try_out(api, **asked | {"externalId": "order-2"}).json()["valid"] is True

    def test_a_full_queue_is_an_error(self, api: APIClient, user: User, aws: ScriptedServer) -> None:
        make_render(slots_needed=200)
        Quota.objects.create(owner=user, max_waiting=0)
        assert "cannot wait" in try_out(api).json()["errors"]["quota"][0]

    def test_a_render_that_would_be_reused_is_named(self, api: APIClient, numbered: ScriptedServer) -> None:
        first = api.post("/api/renders/", {**BODY, "reuse": True}, format="json").json()["id"]
        answer = try_out(api, reuse=True).json()
        assert (answer["valid"], answer["estimatedCost"]) == (True, 0)
        assert first in answer["warnings"][0]

    def test_what_cannot_be_estimated_is_said(self, api: APIClient, aws: ScriptedServer) -> None:
        answer = try_out(api).json()
        assert (answer["estimatedCost"], answer["currency"]) == (None, "")
        assert "cannot be estimated" in answer["warnings"][0]
