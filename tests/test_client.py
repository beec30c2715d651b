"""Each way in which AWS can answer, or not, and what becomes of it."""

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from renders.remotion import client
from renders.remotion.config import RemotionConfig
from renders.remotion.errors import (
    AccessDenied,
    FunctionMissing,
    OutcomeUnknown,
    Rejected,
    RemotionError,
    SetupError,
    Throttled,
    Unavailable,
    VersionMismatch,
)
from renders.remotion.pricing import PRICES
from tests.factories import BUCKET, INPUT_PROPS, load_recording
from tests.servers import INVOKE, Answer, ScriptedServer, lambda_error, reply, s3_error

PROGRESS = f"/{BUCKET}/renders/abc123/progress.json"
OUTPUT_KEY = "renders/abc123/out.mp4"


def start() -> client.StartedRender:
    return client.start(RemotionConfig.from_settings(), input_props=INPUT_PROPS, out_name="ours.mp4")


def read_progress() -> client.ProgressReading | None:
    return client.read_progress(RemotionConfig.from_settings(), bucket_name=BUCKET, render_id="abc123")


def find_output() -> int | None:
    return client.find_output(RemotionConfig.from_settings(), bucket_name=BUCKET, key=OUTPUT_KEY)


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class TestStart:
    def test_returns_what_remotion_calls_the_render(self, aws: ScriptedServer) -> None:
        assert start() == client.StartedRender(render_id="abc123", bucket_name=BUCKET)

    def test_payload_is_the_official_one_with_our_options(self, aws: ScriptedServer) -> None:
        start()
        ((method, path, body),) = aws.requests
        payload = json.loads(body)
        assert (method, path.split("/")[3]) == ("POST", "remotion-render-4-0-527-mem3009mb-disk10240mb-240sec")
        expected = {
            "type": "start",
            "version": "4.0.527",
            "codec": "h264",
            "framesPerLambda": 60,
            "composition": "DynamicComp",
            "serveUrl": "renderhub",
            "bucketName": BUCKET,
            "privacy": "private",
            "outName": "ours.mp4",
            "downloadBehavior": {"type": "download", "fileName": "video.mp4"},
        }
        assert {name: payload[name] for name in expected} == expected
        assert json.loads(payload["inputProps"]["payload"]) == INPUT_PROPS

    @pytest.mark.parametrize(
        ("answer", "kind", "words"),
        [
            (lambda_error(429, "TooManyRequestsException"), Throttled, "no room"),
            (lambda_error(404, "ResourceNotFoundException"), FunctionMissing, "functions deploy --region=us-east-1"),
            (lambda_error(403, "AccessDeniedException"), AccessDenied, "permissions"),
            (lambda_error(403, "ExpiredTokenException"), AccessDenied, "ExpiredTokenException"),
            (lambda_error(413, "RequestTooLargeException", "Too large."), Rejected, "Too large."),
            (lambda_error(500, "ServiceException"), OutcomeUnknown, "not known whether"),
            (lambda_error(502, "EC2UnexpectedException"), OutcomeUnknown, "not known whether"),
            (reply({"type": "error", "message": "You have multiple buckets (a,b)"}), Rejected, r"buckets \(a,b\)"),
            (reply({"type": "error", "message": "Rate Exceeded."}), Throttled, "no room"),
            # Remotion writes the first progress.json while it launches the render.
            (reply({"type": "error", "message": "Please reduce your request rate."}), OutcomeUnknown, "request rate"),
            (reply({"type": "error", "message": "Version mismatch: …"}), VersionMismatch, "lambda@4.0.527"),
            (reply({"type": "surprise"}), OutcomeUnknown, "not a reply of Remotion's"),
            (Answer(b"<html>"), OutcomeUnknown, "not a reply of Remotion's"),
            (Answer(b'{"type":"success"', missing_bytes=40), OutcomeUnknown, "not known whether"),
            (Answer(reset=True), OutcomeUnknown, "not known whether"),
            (
                reply({"errorMessage": "Task timed out"}, headers={"X-Amz-Function-Error": "Unhandled"}),
                OutcomeUnknown,
                "Task timed out",
            ),
        ],
    )
    def test_each_other_answer_is_an_error_and_never_a_second_start(
        self, aws: ScriptedServer, answer: Answer, kind: type[RemotionError], words: str
    ) -> None:
        aws.answers[INVOKE] = answer
        with pytest.raises(kind, match=words) as raised:
            start()
        assert type(raised.value) is kind
        assert aws.count(INVOKE) == 1

    def test_no_answer_in_time_is_unknown(self, aws: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_START_TIMEOUT = 1
        aws.answers[INVOKE] = Answer(delay=1.5)
        with pytest.raises(OutcomeUnknown, match="ReadTimeoutError"):
            start()
        assert aws.count(INVOKE) == 1

    def test_a_refused_connection_started_nothing(self, settings: Any) -> None:
        settings.AWS_ENDPOINT_URL_LAMBDA = f"http://127.0.0.1:{unused_port()}"
        with pytest.raises(Unavailable, match="Nothing was started"):
            start()

    def test_an_endpoint_that_is_none_is_a_matter_of_setup(self, settings: Any) -> None:
        settings.AWS_ENDPOINT_URL_LAMBDA = "no url"
        with pytest.raises(SetupError, match="no url"):
            start()

    def test_a_name_that_remotion_gave_tells_the_functions_size(self, aws: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_FUNCTION_NAME = "remotion-render-4-0-500-mem2048mb-disk512mb-900sec"
        assert RemotionConfig.from_settings().function_timeout == 900
        aws.answers[INVOKE] = lambda_error(404, "ResourceNotFoundException")
        with pytest.raises(FunctionMissing, match="--memory=2048 --disk=512 --timeout=900") as raised:
            start()
        assert "Deploy remotion-render-4-0-527-mem2048mb-disk512mb-900sec and remove" in str(raised.value)

    def test_no_longer_is_waited_than_the_function_may_run(self, aws: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_TIMEOUT = 1
        aws.answers[INVOKE] = Answer(delay=1.5)
        with pytest.raises(OutcomeUnknown, match="ReadTimeoutError"):
            start()


class TestLargeProps:
    PROPS = {**INPUT_PROPS, "code": "x" * 199_999}

    def test_they_go_to_the_configured_bucket(self, aws: ScriptedServer) -> None:
        aws.answers[f"/{BUCKET}/input-props/"] = Answer()
        client.start(RemotionConfig.from_settings(), input_props=self.PROPS, out_name="ours.mp4")
        (upload, invoke) = aws.requests
        assert upload[0] == "PUT"
        props = json.loads(invoke[2])["inputProps"]
        assert props["bucketName"] == BUCKET
        assert upload[1].startswith(f"/{BUCKET}/input-props/{props['hash']}.json")

    @pytest.mark.parametrize(
        ("answer", "kind"),
        [(s3_error(403, "AccessDenied"), AccessDenied), (s3_error(500, "InternalError"), Unavailable)],
    )
    def test_nothing_is_started_if_that_fails(
        self, aws: ScriptedServer, answer: Answer, kind: type[RemotionError]
    ) -> None:
        aws.answers[f"/{BUCKET}/input-props/"] = answer
        with pytest.raises(kind):
            client.start(RemotionConfig.from_settings(), input_props=self.PROPS, out_name="ours.mp4")
        assert aws.count(INVOKE) == 0


class TestReading:
    def test_progress_comes_with_the_time_on_s3s_clock(self, aws: ScriptedServer) -> None:
        recorded = load_recording("succeeds")[-1]["progress.json"]
        aws.answers[PROGRESS] = reply(recorded)
        reading = read_progress()
        assert reading is not None
        assert reading.progress_json == recorded
        assert reading.read_at_in_ms == pytest.approx(time.time() * 1000, abs=3000)

    def test_braces_in_strings_do_not_matter(self, aws: ScriptedServer) -> None:
        aws.answers[PROGRESS] = reply({"code": "return '{' + frame"})
        reading = read_progress()
        assert reading is not None
        assert reading.progress_json == {"code": "return '{' + frame"}

    @pytest.mark.parametrize("code", ["NoSuchKey", "NoSuchBucket"])
    def test_a_missing_file_is_none(self, aws: ScriptedServer, code: str) -> None:
        aws.answers[PROGRESS] = s3_error(404, code)
        assert read_progress() is None

    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            (s3_error(500, "InternalError"), Unavailable),
            (s3_error(503, "SlowDown"), Unavailable),
            (s3_error(403, "AccessDenied"), AccessDenied),
            (s3_error(400, "ExpiredToken"), SetupError),
            (Answer(b'{"chunks": ['), Unavailable),
            (Answer(b"[]"), Unavailable),
            (Answer(b'{"chunks": []', missing_bytes=9), Unavailable),
            (Answer(reset=True), Unavailable),
        ],
    )
    def test_each_other_answer_says_nothing_of_the_render(
        self, aws: ScriptedServer, answer: Answer, kind: type[RemotionError]
    ) -> None:
        aws.answers[PROGRESS] = answer
        with pytest.raises(kind) as raised:
            read_progress()
        assert type(raised.value) is kind

    def test_text_that_no_database_can_store_is_replaced(self, aws: ScriptedServer) -> None:
        aws.answers[PROGRESS] = Answer(b'{"errors": [{"message": "a\\u0000b\\ud800c \\\\u0000"}]}')
        reading = read_progress()
        assert reading is not None
        assert reading.progress_json["errors"][0]["message"] == "a\ufffdb?c \\u0000"

    def test_no_answer_in_time_is_no_answer(
        self, aws: ScriptedServer, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client, "READ_TIMEOUT_SECONDS", 0.2)
        settings.REMOTION_AWS_ACCESS_KEY_ID = "a key of its own, for a client of its own"
        aws.answers[PROGRESS] = Answer(delay=0.5)
        with pytest.raises(Unavailable, match="ReadTimeoutError"):
            read_progress()

    def test_credentials_are_needed(self, settings: Any) -> None:
        settings.REMOTION_AWS_ACCESS_KEY_ID = ""
        with pytest.raises(SetupError):
            read_progress()


class TestOutput:
    @pytest.fixture
    def bucket(self) -> Iterator[Any]:
        with mock_aws():
            s3 = boto3.client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
            s3.create_bucket(Bucket=BUCKET)
            yield s3

    def test_its_size_is_found(self, bucket: Any) -> None:
        bucket.put_object(Bucket=BUCKET, Key=OUTPUT_KEY, Body=b"12345")
        assert find_output() == 5

    def test_no_output_is_none(self, bucket: Any) -> None:
        assert find_output() is None

    def test_no_bucket_is_none(self) -> None:
        with mock_aws():
            assert find_output() is None

    def test_forbidden_is_not_missing(self, aws: ScriptedServer) -> None:
        aws.answers[f"/{BUCKET}/"] = Answer(status=403)
        with pytest.raises(AccessDenied):
            find_output()

    @pytest.mark.parametrize("region", [region for region in PRICES if region != "us-east-1"])
    def test_url_names_the_region(self, settings: Any, region: str) -> None:
        settings.REMOTION_REGION = region
        url = client.sign_output_url(RemotionConfig.from_settings(), bucket_name=BUCKET, key=OUTPUT_KEY)
        domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        assert url.startswith(f"https://{BUCKET}.s3.{region}.{domain}/{OUTPUT_KEY}?")

    def test_url_is_signed_for_an_hour_without_asking_aws(self) -> None:
        url = client.sign_output_url(RemotionConfig.from_settings(), bucket_name=BUCKET, key=OUTPUT_KEY)
        assert url.startswith(f"https://{BUCKET}.s3.amazonaws.com/{OUTPUT_KEY}?")
        assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in url
        assert "X-Amz-Expires=3600" in url
        assert "not-a-secret" not in url
