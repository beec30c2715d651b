import json
from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from renders.api.renders.views import RenderViewSet
from renders.models import Render
from tests.factories import BUCKET, INPUT_PROPS, load_recording, make_render
from tests.servers import ScriptedServer, reply

pytestmark = pytest.mark.django_db
Status = Render.Status
PERMISSION_QUERIES = 2
"""Those of Django's ``has_perm``: the user's permissions, and the groups'."""


class TestRenders:
    def test_list_is_paginated_newest_first(self, api: APIClient, user: User) -> None:
        now = timezone.now()
        rows = [make_render(owner=user, created_at=now - timedelta(seconds=age)) for age in range(5)]
        first = api.get("/api/renders/?pageSize=3").json()
        second = api.get(first["next"]).json()
        assert [row["id"] for row in first["results"] + second["results"]] == [str(row.id) for row in rows]
        assert second["next"] is None

    def test_number_of_queries_does_not_grow_with_the_list(
        self, api: APIClient, user: User, django_assert_num_queries: Any
    ) -> None:
        for _ in range(7):
            make_render(Status.SUCCEEDED, owner=user)
        with django_assert_num_queries(1 + PERMISSION_QUERIES):
            assert len(api.get("/api/renders/").json()["results"]) == 7

    @pytest.mark.parametrize("query", ["", "?status=failed", "?pageSize=1"])
    def test_nothing_is_counted(self, api: APIClient, user: User, query: str) -> None:
        for _ in range(3):
            make_render(Status.FAILED, owner=user)
        with CaptureQueriesContext(connection) as queries:
            api.get(f"/api/renders/{query}")
        assert len(queries) == 1 + PERMISSION_QUERIES
        assert "COUNT(" not in queries[-1]["sql"]
        assert "LIMIT" in queries[-1]["sql"]

    @pytest.mark.parametrize("query", ["", "&status=failed"])
    def test_each_render_is_on_one_page_while_others_arrive(self, api: APIClient, user: User, query: str) -> None:
        now = timezone.now()
        ages = (0, 1, 1, 1, 2, 3)
        renders = [make_render(Status.FAILED, owner=user, created_at=now - timedelta(minutes=age)) for age in ages]
        seen, following = [], f"/api/renders/?pageSize=2{query}"
        while following:
            page = api.get(following).json()
            seen += [row["id"] for row in page["results"]]
            following = page["next"]
            make_render(Status.FAILED, owner=user, created_at=now + timedelta(minutes=1))
        assert len(seen) == len(renders)
        assert set(seen) == {str(render.id) for render in renders}

    @pytest.mark.parametrize("size", ["x", "", "0", "-1", "201", "1000000", "1.5", "5.0", "1_0", "9" * 5000])
    def test_a_page_size_that_is_none_is_told(self, api: APIClient, user: User, size: str) -> None:
        response = api.get("/api/renders/", {"pageSize": size})
        message = "Use a whole number from 1 to 200."
        assert response.status_code == 400
        assert response.json() == {
            "error": f"pageSize: {message}",
            "code": "invalid_request",
            "details": {"pageSize": [message]},
        }

    def test_the_smallest_and_the_largest_page(self, api: APIClient, user: User) -> None:
        for _ in range(201):
            make_render(owner=user)
        for size in (1, 200):
            assert len(api.get("/api/renders/", {"pageSize": size}).json()["results"]) == size

    def test_list_can_be_of_one_status(self, api: APIClient, user: User) -> None:
        make_render(owner=user)
        failed = make_render(Status.FAILED, owner=user)
        assert [row["id"] for row in api.get("/api/renders/?status=failed").json()["results"]] == [str(failed.id)]
        response = api.get("/api/renders/?status=dancing")
        assert response.status_code == 400
        assert "queued, submitting, rendering" in response.json()["error"]

    def test_one_render_shows_everything_but_stacks(self, api: APIClient, user: User) -> None:
        errors = [{"message": "boom", "stack": "secret/path", "isFatal": True}]
        render = make_render(Status.SUCCEEDED, owner=user, errors=errors)
        shown = api.get(f"/api/renders/{render.id}").json()
        assert shown["inputProps"] == INPUT_PROPS
        assert shown["owner"] == "ada"
        assert shown["outputUrl"].startswith(f"https://{BUCKET}.s3.amazonaws.com/renders/abc123/out.mp4?")
        assert shown["errors"][0]["message"] == "boom"
        assert "secret/path" not in json.dumps(shown)

    def test_without_credentials_there_is_no_url_but_the_row(self, api: APIClient, user: User, settings: Any) -> None:
        settings.REMOTION_AWS_ACCESS_KEY_ID = ""
        render = make_render(Status.SUCCEEDED, owner=user)
        assert api.get(f"/api/renders/{render.id}").json()["outputUrl"] is None

    def test_refresh_reads_aws(self, api: APIClient, user: User, aws: ScriptedServer) -> None:
        render = make_render(owner=user)
        aws.answers[f"/{BUCKET}/"] = reply(load_recording("succeeds")[-1]["progress.json"])
        for suffix in ("", "/"):
            response = api.post(f"/api/renders/{render.id}/refresh{suffix}")
            assert (response.status_code, response.json()["status"]) == (200, "succeeded")

    @pytest.mark.parametrize(
        "path", ["abc", "6f8a7a2e-0000-4000-8000-000000000000", "6f8a7a2e-0000-4000-8000-000000000000/refresh"]
    )
    def test_what_there_is_not_is_404(self, api: APIClient, path: str) -> None:
        method = api.post if path.endswith("refresh") else api.get
        response = method(f"/api/renders/{path}")
        assert response.status_code == 404
        assert response.json() == {"error": "There is no such render.", "code": "not_found"}

    @pytest.mark.parametrize("position", [None, "p=garbage", "p=2020", "p=%00", "o=x"])
    def test_a_cursor_that_is_none_is_told(self, api: APIClient, user: User, position: str | None) -> None:
        make_render(owner=user)
        cursor = "zzz" if position is None else b64encode(position.encode()).decode()
        response = api.get("/api/renders/", {"cursor": cursor})
        assert (response.status_code, list(response.json()["details"])) == (400, ["cursor"])


@pytest.mark.parametrize("action", ["cancel", "refresh"])
def test_a_row_that_is_deleted_during_the_request_is_not_found(
    api: APIClient, user: User, aws: ScriptedServer, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    render = make_render(owner=user)
    monkeypatch.setattr(RenderViewSet, "validated_body", lambda view: Render.objects.all().delete())
    response = api.post(f"/api/renders/{render.id}/{action}/")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")
