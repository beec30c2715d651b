import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from renders.models import Render
from tests.api.requests import CREATE, post
from tests.factories import BODY, BUCKET, INPUT_PROPS
from tests.servers import INVOKE, Answer, ScriptedServer, lambda_error, reply

pytestmark = pytest.mark.django_db
Status = Render.Status


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

    def test_a_number_with_too_many_digits_is_told_in_our_words(self, api: APIClient, path: str) -> None:
        response = api.post(path, '{"x": -' + "1" * 5000 + "}", content_type="application/json")
        assert response.json()["error"].endswith("a number of 5,000 digits is not one that can be stored.")

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
        assert (response.status_code, response.json()) == (500, {"error": words, "code": "not_set_up"})
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
