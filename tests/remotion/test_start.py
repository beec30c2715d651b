"""Starting: each way in which Lambda can answer, or not, and what becomes of it."""

import json
from typing import Any

import pytest

from renders.remotion.errors import (
    BucketMissing,
    OutcomeUnknown,
    Rejected,
    RemotionError,
    Throttled,
    VersionMismatch,
)
from renders.remotion.options import RenderOptions
from renders.remotion.start import StartedRender, prepare, start
from renders.remotion.target import LambdaTarget
from tests.factories import BUCKET, INPUT_PROPS
from tests.servers import INVOKE, Answer, ScriptedServer, reply

PROGRESS = f"/{BUCKET}/renders/abc123/progress.json"
OUTPUT_KEY = "renders/abc123/out.mp4"


def start_render() -> StartedRender:
    return start(LambdaTarget.from_settings(), prepared(INPUT_PROPS))


def prepared(input_props: dict[str, Any], props_name: str = "ours") -> str:
    target, options = LambdaTarget.from_settings(), RenderOptions.from_settings()
    return prepare(target, options, input_props=input_props, props_name=props_name, out_name="ours.mp4")


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
