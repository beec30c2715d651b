"""Stills: what functions of all versions answered, and what that proves."""

import json
from typing import Any

import pytest

from renders.remotion.errors import (
    BucketMissing,
    OutcomeUnknown,
    RemotionError,
    StillFailed,
    Throttled,
    Unavailable,
    VersionMismatch,
)
from renders.remotion.still import FinishedStill, prepare, render_still
from renders.remotion.target import LambdaTarget
from tests.factories import BUCKET, INPUT_PROPS
from tests.recorded import recorded_answer, recorded_versions
from tests.servers import INVOKE, Answer, ScriptedServer, lambda_error, reply, sent

RECORDED_BUCKET = "remotionlambda-useast1-local00000"


def prepared(**changed: Any) -> str:
    defaults = {
        "serve_url": "renderhub",
        "composition": "DynamicComp",
        "input_props": INPUT_PROPS,
        "options": {},
        "frame": 30,
        "out_name": "ours.png",
        "props_name": "ours",
    }
    return prepare(LambdaTarget.from_settings(), **{**defaults, **changed})


def render() -> FinishedStill:
    return render_still(LambdaTarget.from_settings(), prepared())


def message(kind: int, value: Any) -> bytes:
    """One message of the function's stream."""
    body = json.dumps(value).encode()
    return b"remotion_buffer:%d:%d:0:%b" % (kind, len(body), body)


def thrown(text: str) -> Answer:
    """What the function answers if a component throws this text."""
    info = {"name": "Error", "message": text, "stack": f"Error: {text}\n    at A (eval)", "type": "renderer"}
    return Answer(message(3, {"renderId": "abc123"}) + message(2, {"errorInfo": info}))


class TestPayload:
    def test_is_the_official_one_with_our_settings(self) -> None:
        payload = json.loads(prepared())
        expected = {
            "type": "still",
            "version": "4.0.527",
            "imageFormat": "png",
            "frame": 30,
            "composition": "DynamicComp",
            "serveUrl": "renderhub",
            "bucketName": BUCKET,
            "privacy": "private",
            "outName": "ours.png",
            "downloadBehavior": {"type": "download", "fileName": "image.png"},
            "streamed": True,
            "licenseKey": None,
            "isProduction": True,
        }
        assert {name: payload[name] for name in expected} == expected
        assert json.loads(payload["inputProps"]["payload"]) == INPUT_PROPS

    def test_has_the_options_under_remotions_names(self) -> None:
        payload = json.loads(prepared(options={"imageFormat": "jpeg", "jpegQuality": 60, "scale": 2}, frame=-1))
        assert (payload["imageFormat"], payload["jpegQuality"], payload["scale"]) == ("jpeg", 60, 2)
        assert payload["frame"] == -1

    def test_props_that_are_too_large_for_a_video_are_sent_with_a_still(self, aws: ScriptedServer) -> None:
        payload = json.loads(prepared(input_props={"text": "x" * 300_000}))
        assert payload["inputProps"]["type"] == "payload"
        assert aws.requests == []


class TestSucceeding:
    @pytest.mark.parametrize("version", recorded_versions("still-png"))
    def test_the_answer_names_the_picture_its_size_and_cost(self, aws: ScriptedServer, version: str) -> None:
        for name in ("still-png", "still-jpeg", "still-webp", "still-pdf"):
            aws.answers[INVOKE] = recorded_answer(name, version=version)
            still = render()
            assert still.bucket_name == still.output_bucket == RECORDED_BUCKET
            assert still.output_key == f"renders/{still.render_id}/ours.{name.partition('-')[2]}"
            assert still.output_size > 1000
            assert 0 < still.cost < 0.001
            assert (still.currency, still.artifacts) == ("USD", [])

    @pytest.mark.parametrize("version", recorded_versions("still-artifact"))
    def test_artifacts_are_named(self, aws: ScriptedServer, version: str) -> None:
        aws.answers[INVOKE] = recorded_answer("still-artifact", version=version)
        still = render()
        key = f"renders/{still.render_id}/artifacts/a.txt"
        assert still.artifacts == [{"filename": "a.txt", "sizeInBytes": 5, "s3Key": key}]

    def test_the_function_is_called_once_and_has_its_whole_time_limit(self, aws: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_START_TIMEOUT = 1
        aws.answers[INVOKE] = Answer(recorded_answer("still-png").body, delay=1.2)
        assert render().output_size > 0
        assert aws.count(INVOKE) == 1
        assert sent(aws) == json.loads(prepared())


class TestFailing:
    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("still-throws", r"^boom$"),
            ("still-unicode", r"^Größe 日本 🎬$"),
            ("still-syntax", r"/code\.tsx: Unexpected token \(1:12\)"),
            ("still-frame-out", r"highest frame that can be rendered is 29$"),
            ("still-composition", r"Could not find composition with ID Nope"),
            ("still-no-site", r"verify that it is a Remotion project"),
            ("still-forbidden", r"^No\.$"),
        ],
    )
    def test_functions_of_all_versions_say_why(self, aws: ScriptedServer, name: str, words: str) -> None:
        for version in recorded_versions(name):
            aws.answers[INVOKE] = recorded_answer(name, version=version)
            with pytest.raises(StillFailed, match=words) as raised:
                render()
            assert len(raised.value.render_id) == 10
            (error,) = raised.value.errors
            assert (error["type"], error["isFatal"], error["willRetry"]) == ("renderer", True, False)
            assert "\n    at " in error["stack"]

    @pytest.mark.parametrize("version", recorded_versions("still-no-bucket"))
    def test_a_bucket_that_does_not_exist_is_told(self, aws: ScriptedServer, version: str) -> None:
        aws.answers[INVOKE] = recorded_answer("still-no-bucket", version=version)
        with pytest.raises(BucketMissing, match="Set REMOTION_BUCKET_NAME"):
            render()

    def test_known_errors_are_explained(self, aws: ScriptedServer) -> None:
        aws.answers[INVOKE] = thrown("Target closed.")
        with pytest.raises(StillFailed, match=r"Target closed\. \(The browser crashed: .*more memory\.\)"):
            render()


class TestVersionMismatch:
    @pytest.mark.parametrize("version", ["4.0.286", "4.0.403", "4.0.499"])
    def test_is_told_if_the_function_has_another_version(self, aws: ScriptedServer, version: str) -> None:
        answers = iter([recorded_answer("still-version", version=version), recorded_answer("info", version=version)])
        aws.answers[INVOKE] = lambda: next(answers)
        with pytest.raises(VersionMismatch):
            render()
        assert json.loads(prepared())["version"] == version

    @pytest.mark.parametrize("text", ["Version mismatch: mine", "Rate Exceeded."])
    def test_a_component_that_throws_such_words_has_failed(self, aws: ScriptedServer, text: str) -> None:
        """Its still was paid for: as a refusal it would be rendered again and again."""
        answers = iter([thrown(text), recorded_answer("info")])
        aws.answers[INVOKE] = lambda: next(answers)
        with pytest.raises(StillFailed, match=text):
            render()

    def test_a_function_that_cannot_be_asked_then_leaves_it_failed(self, aws: ScriptedServer) -> None:
        answers = iter([thrown("Version mismatch: mine"), lambda_error(429, "TooManyRequestsException")])
        aws.answers[INVOKE] = lambda: next(answers)
        with pytest.raises(StillFailed):
            render()


RENDER_ID = message(3, {"renderId": "abc123"})


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (lambda_error(429, "TooManyRequestsException"), Throttled, "no capacity"),
        (lambda_error(500, "ServiceException"), OutcomeUnknown, "not known whether the still was rendered"),
        (Answer(reset=True), OutcomeUnknown, "not known whether the still was rendered"),
        (
            reply({"errorMessage": "Task timed out"}, headers={"X-Amz-Function-Error": "Unhandled"}),
            OutcomeUnknown,
            r"broke off \(Task timed out\), so it is not known",
        ),
        (Answer(b""), OutcomeUnknown, "not one of Remotion's"),
        (Answer(RENDER_ID), OutcomeUnknown, "not one of Remotion's"),
        (Answer(RENDER_ID + b"remotion_buffer:6:400:0:{"), OutcomeUnknown, "not one of Remotion's"),
        (Answer(RENDER_ID + message(6, {"type": "success"})), OutcomeUnknown, "not one of Remotion's"),
        (Answer(RENDER_ID + message(2, {"error": "what"})), OutcomeUnknown, "not one of Remotion's"),
        (Answer(b"<html>"), OutcomeUnknown, "not one of Remotion's"),
    ],
)
def test_each_other_answer_is_an_error_and_never_a_second_still(
    aws: ScriptedServer, answer: Answer, kind: type[RemotionError], words: str
) -> None:
    aws.answers[INVOKE] = answer
    with pytest.raises(kind, match=words) as raised:
        render()
    assert type(raised.value) is kind
    assert aws.count(INVOKE) == 1


def test_a_refused_connection_rendered_nothing(settings: Any) -> None:
    settings.AWS_ENDPOINT_URL_LAMBDA = "http://127.0.0.1:1"
    with pytest.raises(Unavailable, match="Nothing was started"):
        render()
