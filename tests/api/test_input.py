from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from renders.models import Render
from tests.factories import BUCKET, INPUT_PROPS, make_render
from tests.servers import ScriptedServer

pytestmark = pytest.mark.django_db
Status = Render.Status
BODY = {"inputProps": INPUT_PROPS}
CREATE = ["/api/lambda/render", "/api/renders/"]


def post(api: APIClient, path: str, body: Any = None) -> Any:
    return api.post(path, body, format="json")


class TestUnknownFields:
    @pytest.mark.parametrize("path", CREATE)
    @pytest.mark.parametrize("name", ["composition", "codec", "tags", "Priority", "code", ""])
    def test_nothing_is_started(self, api: APIClient, aws: ScriptedServer, path: str, name: str) -> None:
        response = post(api, path, {**BODY, name: "MyVideo"})
        assert (response.status_code, response.json()["code"]) == (400, "unknown_field")
        assert list(response.json()["details"]) == [name]
        assert "inputProps" in response.json()["error"]
        assert not Render.objects.exists()
        assert not aws.requests

    @pytest.mark.parametrize(
        ("name", "near"), [("inputprops", "inputProps"), ("props", "inputProps"), ("Priority", "priority")]
    )
    def test_the_nearest_known_name_is_told(self, api: APIClient, name: str, near: str) -> None:
        response = post(api, "/api/renders/", {**BODY, name: 1})
        assert response.json()["error"] == (
            f"{name}: Unknown field. Did you mean {near}? The fields here are inputProps, dryRun, template, kind,"
            " options, frame, poster, reuse, webhookUrl, metadata, externalId, uniqueExternalId, priority."
        )

    def test_a_name_that_is_like_none_has_no_hint(self, api: APIClient) -> None:
        response = post(api, "/api/lambda/render", {**BODY, "codec": "gif"})
        assert response.json()["error"] == "codec: Unknown field. The fields here are inputProps, dryRun."

    def test_it_is_told_beside_what_else_is_wrong(self, api: APIClient) -> None:
        response = post(api, "/api/renders/", {"inputprops": INPUT_PROPS, "priority": 99})
        assert response.json()["code"] == "unknown_field"
        assert set(response.json()["details"]) == {"inputprops", "inputProps", "priority"}

    def test_many_and_long_names_are_not_echoed(self, api: APIClient) -> None:
        response = post(api, "/api/renders/", {**BODY, **{f"{number:02}" + "x" * 10_000: 1 for number in range(99)}})
        assert response.status_code == 400
        assert len(response.content) < 5000

    def test_input_props_stay_open(self, api: APIClient, aws: ScriptedServer) -> None:
        props = {**INPUT_PROPS, "composition": "MyVideo", "durationinframes": 1}
        assert post(api, "/api/renders/", {"inputProps": props}).status_code == 201
        assert Render.objects.get().input_props == props

    @pytest.mark.parametrize(
        ("action", "status"), [("refresh", Status.RENDERING), ("cancel", Status.QUEUED), ("retry", Status.FAILED)]
    )
    def test_an_action_has_no_fields(
        self, api: APIClient, user: User, aws: ScriptedServer, action: str, status: str
    ) -> None:
        render = make_render(status, owner=user)
        response = post(api, f"/api/renders/{render.id}/{action}", {"inputProps": INPUT_PROPS})
        assert (response.status_code, response.json()["code"]) == (400, "unknown_field")
        assert response.json()["error"] == "inputProps: Unknown field. There are no fields here."
        render.refresh_from_db()
        assert (render.status, Render.objects.count(), aws.requests) == (status, 1, [])
        assert post(api, f"/api/renders/{render.id}/{action}", {}).status_code < 300

    def test_nor_has_a_delete(self, api: APIClient, user: User) -> None:
        render = make_render(Status.FAILED, owner=user)
        assert api.delete(f"/api/renders/{render.id}", {"remote": True}, format="json").status_code == 400
        assert Render.objects.exists()

    def test_permission_comes_before_the_body(self, api: APIClient, staff: User) -> None:
        render = make_render(Status.FAILED, owner=staff)
        assert post(api, f"/api/renders/{render.id}/retry", {"codec": "gif"}).status_code == 404
        assert post(APIClient(), f"/api/renders/{render.id}/retry", {"codec": "gif"}).status_code == 401

    def test_progress_has_two(self, api: APIClient, user: User) -> None:
        make_render(owner=user, render_id="abc123")
        response = post(api, "/api/lambda/progress", {"id": "abc123", "bucketName": BUCKET, "bucket": BUCKET})
        assert response.json()["error"] == (
            "bucket: Unknown field. Did you mean bucketName? The fields here are id, bucketName."
        )


class TestUnknownParameters:
    @pytest.mark.parametrize(
        "query", ["user=bob", "created_after=2026-01-01", "page=2", "format=json", "=1", "Status=x"]
    )
    def test_a_list_is_not_left_unfiltered(self, api: APIClient, user: User, query: str) -> None:
        make_render(owner=user)
        response = api.get(f"/api/renders/?{query}")
        assert (response.status_code, response.json()["code"]) == (400, "unknown_parameter")
        assert "The parameters here are pageSize, cursor, status," in response.json()["error"]

    def test_the_nearest_known_name_is_told(self, api: APIClient) -> None:
        assert "Did you mean pageSize?" in api.get("/api/renders/?page_size=2").json()["error"]

    @pytest.mark.parametrize("query", ["status=failed&status=queued", "pageSize=1&pageSize=2"])
    def test_one_that_is_sent_twice_is_refused(self, api: APIClient, query: str) -> None:
        response = api.get(f"/api/renders/?{query}")
        assert (response.status_code, response.json()["code"]) == (400, "invalid_request")

    @pytest.mark.parametrize("query", ["status=", "pageSize=", "cursor="])
    def test_an_empty_one_is_not_taken_as_none(self, api: APIClient, query: str) -> None:
        assert api.get(f"/api/renders/?{query}").status_code == 400

    @pytest.mark.parametrize("path", [*CREATE, "/api/lambda/progress"])
    def test_where_there_is_a_body_there_are_none(self, api: APIClient, aws: ScriptedServer, path: str) -> None:
        response = post(api, f"{path}?priority=5", BODY)
        assert (response.status_code, response.json()["code"]) == (400, "unknown_parameter")
        assert not Render.objects.exists()

    def test_head_is_as_get(self, api: APIClient, user: User) -> None:
        assert api.head("/api/renders/?status=failed&pageSize=3").status_code == 200
        assert api.head("/api/renders/?user=bob").status_code == 400

    def test_nor_has_one_render(self, api: APIClient, user: User) -> None:
        assert api.get(f"/api/renders/{make_render(owner=user).id}?fields=id").status_code == 400

    def test_more_than_django_reads_are_refused(self, api: APIClient) -> None:
        assert api.get("/api/renders/?" + "&".join(f"a{number}=" for number in range(1001))).status_code == 400


class TestOptions:
    INPUT_PROPS = {
        "type": "nested object",
        "required": True,
        "help_text": "Further props are passed on to the composition.",
        "children": {
            "code": {"type": "string", "required": True, "max_length": 150_000},
            "durationInFrames": {"type": "integer", "required": True, "min_value": 1, "max_value": 12_000},
            "fps": {"type": "float", "required": True, "help_text": "Over 0.", "max_value": 240},
        },
    }

    @pytest.fixture(autouse=True)
    def longest_code(self, settings: Any) -> None:
        settings.REMOTION_MAX_CODE_LENGTH = 150_000

    def test_the_resource(self, api: APIClient) -> None:
        options = api.options("/api/renders/").json()
        assert list(options["actions"]) == ["POST"]
        priority = options["actions"]["POST"].pop("priority")
        assert options["actions"]["POST"].pop("inputProps") == self.INPUT_PROPS
        others = {name: (field["type"], field["required"]) for name, field in options["actions"]["POST"].items()}
        assert others == {
            "template": ("string", False),
            "kind": ("choice", False),
            "options": ("nested object", False),
            "frame": ("integer", False),
            "poster": ("field", False),
            "reuse": ("boolean", False),
            "webhookUrl": ("string", False),
            "metadata": ("nested object", False),
            "externalId": ("string", False),
            "uniqueExternalId": ("boolean", False),
            "dryRun": ("boolean", False),
        }
        assert (priority["type"], priority["required"]) == ("integer", False)
        assert (priority["min_value"], priority["max_value"]) == (-50, 50)
        assert list(options["query"]) == ["GET"]
        assert options["query"]["GET"]["pageSize"] == {
            "type": "integer", "required": False, "min_value": 1, "max_value": 200
        }  # fmt: skip
        assert all(status in options["query"]["GET"]["status"]["help_text"] for status in Status.values)

    def test_the_lambda_endpoints(self, api: APIClient) -> None:
        start = api.options("/api/lambda/render").json()["actions"]["POST"]
        assert start.pop("dryRun")["type"] == "boolean"
        assert start == {"inputProps": self.INPUT_PROPS}
        fields = api.options("/api/lambda/progress").json()["actions"]["POST"]
        assert {name: field["required"] for name, field in fields.items()} == {"id": True, "bucketName": False}

    @pytest.mark.parametrize("suffix", ["/refresh", "/cancel", "/retry"])
    def test_what_has_no_input_says_so(self, api: APIClient, user: User, suffix: str) -> None:
        options = api.options(f"/api/renders/{make_render(owner=user).id}{suffix}").json()
        assert (options["actions"], options["query"]) == ({}, {})

    def test_it_is_for_those_who_may_use_the_api(self) -> None:
        assert APIClient().options("/api/renders/").status_code == 401
