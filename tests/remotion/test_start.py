"""Starting: each way in which Lambda can answer, or not, and what becomes of it."""

import json
from typing import Any

import pytest

from renders.remotion import info
from renders.remotion.errors import (
    BucketMissing,
    OutcomeUnknown,
    Rejected,
    RemotionError,
    Throttled,
    VersionMismatch,
)
from renders.remotion.start import StartedRender, prepare, start
from renders.remotion.target import LambdaTarget
from tests.factories import BUCKET, INPUT_PROPS
from tests.recorded import recorded_answer, recorded_versions
from tests.servers import INVOKE, Answer, ScriptedServer, lambda_error, reply


def prepared(**changed: Any) -> str:
    defaults = {
        "serve_url": "renderhub",
        "composition": "DynamicComp",
        "input_props": INPUT_PROPS,
        "options": {},
        "frames_per_lambda": 60,
        "concurrency": None,
        "out_name": "ours.mp4",
        "props_name": "ours",
    }
    return prepare(LambdaTarget.from_settings(), **{**defaults, **changed})


def start_render() -> StartedRender:
    return start(LambdaTarget.from_settings(), prepared())


class TestPayload:
    def test_is_the_official_one_with_our_settings(self, settings: Any) -> None:
        payload = json.loads(prepared())
        expected = {
            "type": "start",
            "version": "4.0.527",
            "codec": "h264",
            "framesPerLambda": 60,
            "concurrency": None,
            "composition": "DynamicComp",
            "serveUrl": "renderhub",
            "bucketName": BUCKET,
            "privacy": "private",
            "outName": "ours.mp4",
            "downloadBehavior": {"type": "download", "fileName": "video.mp4"},
            "enableCancellation": True,
            "licenseKey": None,
            "isProduction": True,
        }
        assert {name: payload[name] for name in expected} == expected
        assert json.loads(payload["inputProps"]["payload"]) == INPUT_PROPS

    def test_frames_may_be_divided_by_the_number_of_functions(self) -> None:
        payload = json.loads(prepared(frames_per_lambda=None, concurrency=7))
        assert (payload["framesPerLambda"], payload["concurrency"]) == (None, 7)


class TestStart:
    def test_returns_what_remotion_calls_the_render(self, aws: ScriptedServer) -> None:
        assert start_render() == StartedRender(render_id="abc123", bucket_name=BUCKET)
        ((method, path, body),) = aws.requests
        assert (method, path.split("/")[3]) == ("POST", "remotion-render-4-0-527-mem3009mb-disk10240mb-240sec")
        assert json.loads(body) == json.loads(prepared())

    @pytest.mark.parametrize(
        ("answer", "kind", "words"),
        [
            (
                reply({"type": "error", "message": "You have multiple buckets (a,b)"}),
                Rejected,
                r"buckets \(a,b\)",
            ),
            (reply({"type": "error", "message": "Rate Exceeded."}), Throttled, "no capacity"),
            (reply({"type": "error", "message": "TooManyRequestsException: Rate Exceeded."}), Throttled, "no capacity"),
            # Remotion writes the first progress.json while it launches the render.
            (reply({"type": "error", "message": "Please reduce your request rate."}), OutcomeUnknown, "request rate"),
            (reply({"type": "surprise"}), OutcomeUnknown, "not one of Remotion's"),
            (Answer(b"<html>"), OutcomeUnknown, "not one of Remotion's"),
            (lambda_error(500, "ServiceException"), OutcomeUnknown, "not known whether the render started"),
            (
                reply({"errorMessage": "Task timed out"}, headers={"X-Amz-Function-Error": "Unhandled"}),
                OutcomeUnknown,
                r"broke off \(Task timed out\), so it is not known",
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

    @pytest.mark.parametrize(
        ("name", "kind", "words"),
        [
            ("start-version", VersionMismatch, "now has another version"),
            ("start-no-bucket", BucketMissing, "Set REMOTION_BUCKET_NAME"),
            # S3 had refused the function's first file while the render was running.
            ("start-forbidden", OutcomeUnknown, r"not known whether it goes on: No\."),
        ],
    )
    def test_what_functions_of_all_versions_answered(
        self, aws: ScriptedServer, name: str, kind: type[RemotionError], words: str
    ) -> None:
        for version in recorded_versions(name):
            info._asked.clear()
            aws.answers[INVOKE] = recorded_answer(name, version=version)
            with pytest.raises(kind, match=words) as raised:
                start_render()
            assert type(raised.value) is kind

    def test_no_answer_in_time_is_unknown(self, aws: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_START_TIMEOUT = 1
        aws.answers[INVOKE] = Answer(delay=1.5)
        with pytest.raises(OutcomeUnknown, match="ReadTimeoutError"):
            start_render()
        assert aws.count(INVOKE) == 1

    def test_no_longer_is_waited_than_the_function_may_run(self, aws: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_TIMEOUT = 1
        aws.answers[INVOKE] = Answer(delay=1.5)
        with pytest.raises(OutcomeUnknown, match="ReadTimeoutError"):
            start_render()

    def test_after_a_mismatch_the_next_payload_has_the_functions_version(self, aws: ScriptedServer) -> None:
        aws.answers[INVOKE] = recorded_answer("start-version", version="4.0.499")
        with pytest.raises(VersionMismatch):
            start_render()
        aws.answers[INVOKE] = recorded_answer("info", version="4.0.499")
        assert json.loads(prepared())["version"] == "4.0.499"
