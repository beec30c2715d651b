"""Starting: each way in which Lambda can answer, or not, and what becomes of it."""

import json
import socket
from typing import Any

import pytest

from renders.remotion.errors import (
    AccessDenied,
    BucketMissing,
    FunctionMissing,
    OutcomeUnknown,
    PropsNotStored,
    Rejected,
    RemotionError,
    SetupError,
    Throttled,
    Unavailable,
    VersionMismatch,
)
from renders.remotion.options import RenderOptions
from renders.remotion.start import StartedRender, prepare, start
from renders.remotion.target import LambdaTarget
from tests.factories import BUCKET, INPUT_PROPS
from tests.servers import INVOKE, Answer, ScriptedServer, lambda_error, reply, s3_error

PROGRESS = f"/{BUCKET}/renders/abc123/progress.json"
OUTPUT_KEY = "renders/abc123/out.mp4"


def start_render() -> StartedRender:
    return start(LambdaTarget.from_settings(), prepared(INPUT_PROPS))


def prepared(input_props: dict[str, Any], props_name: str = "ours") -> str:
    target, options = LambdaTarget.from_settings(), RenderOptions.from_settings()
    return prepare(target, options, input_props=input_props, props_name=props_name, out_name="ours.mp4")


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class TestStart:
    def test_returns_what_remotion_calls_the_render(self, aws: ScriptedServer) -> None:
        assert start_render() == StartedRender(render_id="abc123", bucket_name=BUCKET)

    def test_payload_is_the_official_one_with_our_options(self, aws: ScriptedServer) -> None:
        start_render()
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
            (lambda_error(429, "TooManyRequestsException"), Throttled, "no capacity"),
            (lambda_error(404, "ResourceNotFoundException"), FunctionMissing, "functions deploy --region=us-east-1"),
            (lambda_error(403, "AccessDeniedException"), AccessDenied, "permissions"),
            (lambda_error(403, "ExpiredTokenException"), AccessDenied, "ExpiredTokenException"),
            (lambda_error(413, "RequestTooLargeException", "Too large."), Rejected, "Too large."),
            (lambda_error(500, "ServiceException"), OutcomeUnknown, "not known whether"),
            (lambda_error(502, "EC2UnexpectedException"), OutcomeUnknown, "not known whether"),
            (
                reply({"type": "error", "message": "The specified bucket does not exist"}),
                BucketMissing,
                "Set REMOTION_BUCKET_NAME",
            ),
            (reply({"type": "error", "message": "You have multiple buckets (a,b)"}), Rejected, r"buckets \(a,b\)"),
            (reply({"type": "error", "message": "Rate Exceeded."}), Throttled, "no capacity"),
            # Remotion writes the first progress.json while it launches the render.
            (reply({"type": "error", "message": "Please reduce your request rate."}), OutcomeUnknown, "request rate"),
            (reply({"type": "error", "message": "Version mismatch: …"}), VersionMismatch, "lambda@4.0.527"),
            (reply({"type": "surprise"}), OutcomeUnknown, "not one of Remotion's"),
            (Answer(b"<html>"), OutcomeUnknown, "not one of Remotion's"),
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
            start_render()
        assert type(raised.value) is kind
        assert aws.count(INVOKE) == 1

    def test_no_answer_in_time_is_unknown(self, aws: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_START_TIMEOUT = 1
        aws.answers[INVOKE] = Answer(delay=1.5)
        with pytest.raises(OutcomeUnknown, match="ReadTimeoutError"):
            start_render()
        assert aws.count(INVOKE) == 1

    def test_a_refused_connection_started_nothing(self, settings: Any) -> None:
        settings.AWS_ENDPOINT_URL_LAMBDA = f"http://127.0.0.1:{unused_port()}"
        with pytest.raises(Unavailable, match="Nothing was started"):
            start_render()

    def test_an_endpoint_that_is_none_is_a_matter_of_setup(self, settings: Any) -> None:
        settings.AWS_ENDPOINT_URL_LAMBDA = "no url"
        with pytest.raises(SetupError, match="no url"):
            start_render()

    def test_a_name_that_remotion_gave_tells_the_functions_size(self, aws: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_FUNCTION_NAME = "remotion-render-4-0-500-mem2048mb-disk512mb-900sec"
        assert LambdaTarget.from_settings().function_timeout == 900
        aws.answers[INVOKE] = lambda_error(404, "ResourceNotFoundException")
        with pytest.raises(FunctionMissing, match="--memory=2048 --disk=512 --timeout=900") as raised:
            start_render()
        assert "Deploy remotion-render-4-0-527-mem2048mb-disk512mb-900sec and remove" in str(raised.value)

    def test_no_longer_is_waited_than_the_function_may_run(self, aws: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_TIMEOUT = 1
        aws.answers[INVOKE] = Answer(delay=1.5)
        with pytest.raises(OutcomeUnknown, match="ReadTimeoutError"):
            start_render()


class TestLargeProps:
    PROPS = {**INPUT_PROPS, "code": "x" * 199_999}

    def test_they_go_to_the_configured_bucket(self, aws: ScriptedServer) -> None:
        aws.answers[f"/{BUCKET}/input-props/"] = Answer()
        payload = prepared(self.PROPS)
        (upload,) = aws.requests
        assert upload[:2] == ("PUT", f"/{BUCKET}/input-props/ours.json")
        assert json.loads(payload)["inputProps"] == {"type": "bucket-url", "hash": "ours", "bucketName": BUCKET}

    def test_equal_props_of_two_renders_are_two_files(self, bucket: Any) -> None:
        for name in ("one", "two"):
            prepared(self.PROPS, name)
        stored = {item["Key"] for item in bucket.list_objects_v2(Bucket=BUCKET)["Contents"]}
        assert stored == {"input-props/one.json", "input-props/two.json"}
        body = bucket.get_object(Bucket=BUCKET, Key="input-props/one.json")["Body"].read()
        assert json.loads(body) == self.PROPS

    @pytest.mark.parametrize(
        ("answer", "kind"),
        [(s3_error(403, "AccessDenied"), PropsNotStored), (s3_error(500, "InternalError"), Unavailable)],
    )
    def test_nothing_is_started_if_that_fails(
        self, aws: ScriptedServer, answer: Answer, kind: type[RemotionError]
    ) -> None:
        aws.answers[f"/{BUCKET}/input-props/"] = answer
        with pytest.raises(kind):
            prepared(self.PROPS)
        assert aws.count(INVOKE) == 0
