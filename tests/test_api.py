import json
from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from renders.models import Render
from tests.factories import BUCKET, INPUT_PROPS, load_recording, make_render
from tests.servers import INVOKE, Answer, ScriptedServer, lambda_error, reply, s3_error

pytestmark = pytest.mark.django_db
Status = Render.Status
CREATE = ["/api/lambda/render", "/api/renders/"]
BODY = {"inputProps": INPUT_PROPS}


def post(api: APIClient, path: str, body: Any = None) -> Any:
    return api.post(path, body, format="json")


@pytest.mark.parametrize("path", [*CREATE, "/api/lambda/render/", "/api/renders"])
class TestCreate:
    def test_a_render_is_started_for_its_owner(
        self, api: APIClient, user: User, aws: ScriptedServer, path: str
    ) -> None:
        response = post(api, path, BODY)
        row = Render.objects.get()
        assert response.status_code == (200 if "lambda" in path else 201)
        assert (row.owner, row.status, row.input_props) == (user, Status.RENDERING, INPUT_PROPS)
        assert {
            name: response.json()[name]
            for name in ("id", "renderId", "bucketName", "cloudWatchLogs", "folderInS3Console")
        } == {
            "id": str(row.id),
            "renderId": "abc123",
            "bucketName": BUCKET,
            "cloudWatchLogs": row.cloudwatch_logs,
            "folderInS3Console": row.folder_in_s3_console,
        }

    def test_further_props_are_passed_on_untouched(self, api: APIClient, aws: ScriptedServer, path: str) -> None:
        props = {**INPUT_PROPS, "theme": {"dark": [True, None, 1.5, "ä 🙂 {"]}, "fps": 29.97}
        assert post(api, path, {"inputProps": props}).status_code < 300
        assert Render.objects.get().input_props == props
        assert json.loads(json.loads(aws.requests[0][2])["inputProps"]["payload"]) == props

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"code": None}, "code"),
            ({"code": ""}, "code"),
            ({"code": " \n"}, "code"),
            ({"code": 5}, "code"),
            ({"code": "x" * 200_001}, "at most 200,000"),
            ({"durationInFrames": 0}, "whole number from 1 to 12,000"),
            ({"durationInFrames": 12_001}, "200 functions"),
            ({"durationInFrames": 1.5}, "whole number"),
            ({"durationInFrames": "150"}, "whole number"),
            ({"durationInFrames": True}, "whole number"),
            ({"durationInFrames": None}, "whole number"),
            ({"fps": 0}, "over 0 and up to 240"),
            ({"fps": -1}, "over 0 and up to 240"),
            ({"fps": 240.1}, "over 0 and up to 240"),
            ({"fps": "30"}, "over 0 and up to 240"),
            ({"fps": False}, "over 0 and up to 240"),
            ({"fps": 10**400}, "over 0 and up to 240"),
            ({"fps": 1e-300}, "over 24 hours"),
        ],
    )
    def test_input_that_does_not_do_is_told_before_any_row_or_call(
        self, api: APIClient, aws: ScriptedServer, path: str, change: dict[str, Any], words: str
    ) -> None:
        response = post(api, path, {"inputProps": {**INPUT_PROPS, **change}})
        assert response.status_code == 400
        assert words in response.json()["error"]
        assert list(response.json()["details"]["inputProps"]) == list(change)
        assert not Render.objects.exists()
        assert not aws.requests

    @pytest.mark.parametrize(
        ("change", "stored"),
        [
            ({"durationInFrames": 1}, 1),
            ({"durationInFrames": 12_000}, 12_000),
            ({"durationInFrames": 150.0}, 150),
        ],
    )
    def test_the_limits_themselves_do(
        self, api: APIClient, aws: ScriptedServer, path: str, change: dict[str, Any], stored: int
    ) -> None:
        assert post(api, path, {"inputProps": {**INPUT_PROPS, **change}}).status_code < 300
        assert Render.objects.get().input_props["durationInFrames"] == stored

    @pytest.mark.parametrize(
        ("body", "content_type", "status"),
        [
            (b"", "application/json", 400),
            (b"{", "application/json", 400),
            (b"null", "application/json", 400),
            (b"[]", "application/json", 400),
            (b'"x"', "application/json", 400),
            (b'{"inputProps": 3}', "application/json", 400),
            (b'{"inputProps": {"code": "x", "durationInFrames": NaN, "fps": 30}}', "application/json", 400),
            (b'{"inputProps": {"code": "x", "durationInFrames": 1, "fps": Infinity}}', "application/json", 400),
            (b'{"inputProps": {"code": "x", "durationInFrames": 1, "fps": 1e999}}', "application/json", 400),
            (b'{"inputProps": {"code": "x\\u0000", "durationInFrames": 1, "fps": 30}}', "application/json", 400),
            (b'{"inputProps": {"code": "x", "durationInFrames": 1, "fps": 30, "\\ud800": 1}}', "application/json", 400),
            (b'{"inputProps": {"code": "\xff"}}', "application/json", 400),
            (b"[" * 100_000, "application/json", 400),
            (
                b'{"inputProps": {"code": "x", "durationInFrames": 1, "fps": 30, "deep": %s1%s}}'
                % (b"[" * 905, b"]" * 905),
                "application/json",
                400,
            ),
            (b'{"x": ' + b"1" * 5000 + b"}", "application/json", 400),
            (b'{"x": "' + b"y" * 2_700_000 + b'"}', "application/json", 413),
            (b"inputProps=1", "application/x-www-form-urlencoded", 415),
            (b"{}", "text/plain", 415),
        ],
    )
    def test_a_body_that_cannot_be_used_is_a_4xx(
        self, api: APIClient, aws: ScriptedServer, path: str, body: bytes, content_type: str, status: int
    ) -> None:
        response = api.generic("POST", path, body, content_type=content_type)  # type: ignore[arg-type]
        assert response.status_code == status
        assert response.json()["error"].endswith(".")
        assert not Render.objects.exists()
        assert not aws.requests

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            (
                "REMOTION_AWS_ACCESS_KEY_ID",
                "Set up Remotion Lambda to render videos. See the README.md for how to do so.",
            ),
            (
                "REMOTION_AWS_SECRET_ACCESS_KEY",
                "The environment variable REMOTION_AWS_SECRET_ACCESS_KEY is missing. Add it to your .env file.",
            ),
        ],
    )
    def test_both_setup_errors_word_for_word(
        self, api: APIClient, settings: Any, path: str, name: str, words: str
    ) -> None:
        setattr(settings, name, "")
        response = post(api, path, BODY)
        assert (response.status_code, response.json()) == (500, {"error": words})
        assert not Render.objects.exists()

    @pytest.mark.parametrize(
        ("answer", "status", "words"),
        [
            (lambda_error(404, "ResourceNotFoundException"), 500, "Deploy it: npx"),
            (lambda_error(403, "AccessDeniedException"), 500, "credentials"),
            (reply({"type": "error", "message": "You have multiple buckets."}), 502, "You have multiple buckets."),
        ],
    )
    def test_a_refusal_is_answered_and_kept(
        self, api: APIClient, aws: ScriptedServer, path: str, answer: Answer, status: int, words: str
    ) -> None:
        aws.answers[INVOKE] = answer
        response = post(api, path, BODY)
        row = Render.objects.get()
        assert response.status_code == status
        assert words in response.json()["error"]
        assert response.json()["id"] == str(row.id)
        assert (row.status, row.failure_reason) == (Status.FAILED, "rejected")
        assert not response.has_header("Retry-After")

    def test_aws_unreachable_waits_or_is_503_without_a_row(self, api: APIClient, settings: Any, path: str) -> None:
        settings.AWS_ENDPOINT_URL_LAMBDA = "http://127.0.0.1:9"
        response = post(api, path, BODY)
        if "lambda" in path:
            assert (response.status_code, Render.objects.count()) == (503, 0)
            assert response["Retry-After"]
        else:
            assert (response.status_code, response.json()["status"]) == (202, "queued")
            assert "cannot be reached" in response.json()["error"]

    def test_only_post_creates(self, api: APIClient, path: str) -> None:
        assert api.put(path, BODY, format="json").status_code == 405


class TestUnknownOutcome:
    def test_the_lambda_endpoint_says_so_with_our_id(self, api: APIClient, aws: ScriptedServer) -> None:
        aws.answers[INVOKE] = Answer(reset=True)
        response = post(api, "/api/lambda/render", BODY)
        assert response.status_code == 504
        assert "not known whether" in response.json()["error"]
        assert response.json()["id"] == str(Render.objects.get().id)

    def test_the_resource_is_accepted(self, api: APIClient, aws: ScriptedServer) -> None:
        aws.answers[INVOKE] = Answer(reset=True)
        response = post(api, "/api/renders/", BODY)
        assert (response.status_code, response.json()["status"]) == (202, "submitting")
        assert response["Location"].endswith(f"/api/renders/{response.json()['id']}")


class TestProgress:
    @pytest.fixture
    def render(self, user: User) -> Render:
        return make_render(owner=user, render_id="abc123")

    def ask(self, api: APIClient, **change: Any) -> Any:
        return post(api, "/api/lambda/progress", {"id": "abc123", "bucketName": BUCKET, **change})

    @pytest.mark.parametrize(("step", "progress"), [(0, 0.03), (1, 0.03333333333333333), (10, 0.568)])
    def test_progress_is_at_least_three_percent(
        self, api: APIClient, aws: ScriptedServer, render: Render, step: int, progress: float
    ) -> None:
        recorded = load_recording("succeeds")[step]["progress.json"]
        recorded["timeoutTimestamp"] = timezone.now().timestamp() * 1000 + 60_000
        aws.answers[f"/{BUCKET}/"] = reply(recorded)
        response = self.ask(api)
        assert response.status_code == 200
        assert response.json() == {"type": "progress", "progress": progress}

    def test_done_has_a_signed_url_and_the_size(self, api: APIClient, aws: ScriptedServer, render: Render) -> None:
        aws.answers[f"/{BUCKET}/"] = reply(load_recording("succeeds")[-1]["progress.json"])
        answer = self.ask(api).json()
        assert (answer["type"], answer["size"]) == ("done", 298354)
        assert answer["url"].startswith(f"{aws.url}/{BUCKET}/renders/62jq0llxxv/out.mp4?X-Amz-Algorithm")

    def test_an_error_has_its_message(self, api: APIClient, aws: ScriptedServer, render: Render) -> None:
        aws.answers[f"/{BUCKET}/"] = reply(load_recording("throws-in-chunk")[-1]["progress.json"])
        assert self.ask(api).json() == {"type": "error", "message": "boom at 100"}

    @pytest.mark.parametrize("status", Status)
    def test_every_status_has_an_answer(self, api: APIClient, aws: ScriptedServer, user: User, status: str) -> None:
        make_render(status, owner=user, render_id="abc123", bucket_name=BUCKET)
        assert self.ask(api).json()["type"] in ("progress", "done", "error")

    @pytest.mark.parametrize("change", [{"id": "other"}, {"bucketName": "other"}])
    def test_a_pair_that_is_not_ours_is_404_and_reads_nothing(
        self, api: APIClient, aws: ScriptedServer, render: Render, change: dict[str, str]
    ) -> None:
        response = self.ask(api, **change)
        assert (response.status_code, response.json()) == (404, {"error": "There is no such render."})
        assert not aws.requests

    def test_somebody_elses_render_is_404(self, aws: ScriptedServer, render: Render) -> None:
        other = APIClient()
        other.force_authenticate(User.objects.create_user("eve"))
        assert self.ask(other).status_code == 404
        assert not aws.requests

    @pytest.mark.parametrize("change", [{"id": None}, {"id": ""}, {"id": 5 * "x" * 100}, {"bucketName": {}}])
    def test_a_bad_pair_is_400(self, api: APIClient, aws: ScriptedServer, change: dict[str, Any]) -> None:
        response = self.ask(api, **change)
        assert response.status_code == 400
        assert next(iter(change)) in response.json()["error"]

    def test_s3_failing_is_503_and_changes_nothing(self, api: APIClient, aws: ScriptedServer, render: Render) -> None:
        aws.answers[f"/{BUCKET}/"] = s3_error(500, "InternalError")
        response = self.ask(api)
        assert response.status_code == 503
        assert response["Retry-After"]
        assert Render.objects.get().status == Status.RENDERING

    def test_with_a_trailing_slash_too(self, api: APIClient, aws: ScriptedServer, render: Render) -> None:
        response = post(api, "/api/lambda/progress/", {"id": "abc123", "bucketName": BUCKET})
        assert response.json()["type"] == "progress"


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
        with django_assert_num_queries(1):
            assert len(api.get("/api/renders/").json()["results"]) == 7

    @pytest.mark.parametrize("query", ["", "?status=failed", "?pageSize=1"])
    def test_nothing_is_counted(self, api: APIClient, user: User, query: str) -> None:
        for _ in range(3):
            make_render(Status.FAILED, owner=user)
        with CaptureQueriesContext(connection) as queries:
            api.get(f"/api/renders/{query}")
        assert len(queries) == 1
        assert "COUNT(" not in queries[0]["sql"]
        assert "LIMIT" in queries[0]["sql"]

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
        assert response.json() == {"error": f"pageSize: {message}", "details": {"pageSize": [message]}}

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
        assert (response.status_code, response.json()) == (404, {"error": "There is no such render."})

    @pytest.mark.parametrize("position", [None, "p=garbage", "p=2020", "p=%00", "o=x"])
    def test_a_cursor_that_is_none_is_told(self, api: APIClient, user: User, position: str | None) -> None:
        make_render(owner=user)
        cursor = "zzz" if position is None else b64encode(position.encode()).decode()
        response = api.get("/api/renders/", {"cursor": cursor})
        assert (response.status_code, "cursor" in response.json()["error"]) == (404, True)


class TestWhoMay:
    PATHS = [("post", "/api/lambda/render"), ("post", "/api/lambda/progress"), ("get", "/api/renders/")]

    @pytest.mark.parametrize(("method", "path"), PATHS)
    def test_nobody_is_401(self, aws: ScriptedServer, method: str, path: str) -> None:
        response = getattr(APIClient(), method)(path, BODY, format="json")
        assert response.status_code == 401
        assert "Token" in response.json()["error"]
        assert not Render.objects.exists()

    def test_anybody_where_that_is_allowed(self, aws: ScriptedServer, settings: Any) -> None:
        settings.API_ALLOW_ANONYMOUS = True
        assert post(APIClient(), "/api/lambda/render", BODY).status_code == 200
        assert Render.objects.get().owner is None

    def test_a_token(self, aws: ScriptedServer, user: User) -> None:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {Token.objects.create(user=user).key}")
        assert post(client, "/api/lambda/render", BODY).status_code == 200
        assert Render.objects.get().owner == user

    def test_a_wrong_token(self, user: User) -> None:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION="Token nonsense")
        assert client.get("/api/renders/").status_code == 401

    def test_a_session_needs_its_csrf_token(self, aws: ScriptedServer, user: User) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(user)
        assert client.get("/api/renders/").status_code == 200
        assert client.post("/api/lambda/render", BODY, content_type="application/json").status_code == 403
        assert not Render.objects.exists()

    def test_owner_and_staff_see_it_and_others_do_not(self, api: APIClient, user: User, staff: User) -> None:
        own, others = make_render(owner=user), make_render(owner=staff)
        assert [row["id"] for row in api.get("/api/renders/").json()["results"]] == [str(own.id)]
        assert api.get(f"/api/renders/{others.id}").status_code == 404
        assert api.post(f"/api/renders/{others.id}/refresh").status_code == 404
        api.force_authenticate(staff)
        assert len(api.get("/api/renders/").json()["results"]) == 2


class TestElsewhere:
    def test_an_unknown_address_of_the_api_is_json(self) -> None:
        response = Client().get("/api/nothing")
        assert (response.status_code, list(response.json())) == (404, ["error"])

    def test_a_failure_of_our_own_is_json_without_details(self, api: APIClient, monkeypatch: Any) -> None:
        monkeypatch.setattr("renders.services.create_render", lambda **_: 1 / 0)
        response = post(api, "/api/lambda/render", BODY)
        assert response.status_code == 500
        assert "ZeroDivisionError" not in response.content.decode()

    def test_the_front_page_leads_to_the_admin(self) -> None:
        assert Client().get("/")["Location"] == "/admin/renders/render/"
