"""Building payloads: what becomes of input props that are too large for a request."""

import json
from typing import Any

import pytest
from remotion_lambda import RenderMediaParams

from renders.remotion.errors import PropsNotStored, RemotionError, Unavailable
from renders.remotion.payload import build_payload
from renders.remotion.target import LambdaTarget
from tests.factories import BUCKET, INPUT_PROPS
from tests.servers import INVOKE, Answer, ScriptedServer, s3_error


def build(input_props: dict[str, Any], props_name: str = "ours") -> str:
    params = RenderMediaParams(composition="DynamicComp", input_props=input_props, bucket_name=BUCKET)
    return build_payload(LambdaTarget.from_settings(), params, serve_url="renderhub", props_name=props_name)


class TestLargeProps:
    PROPS = {**INPUT_PROPS, "code": "x" * 199_999}

    def test_they_go_to_the_configured_bucket(self, aws: ScriptedServer) -> None:
        aws.answers[f"/{BUCKET}/input-props/"] = Answer()
        payload = build(self.PROPS)
        (upload,) = aws.requests
        assert upload[:2] == ("PUT", f"/{BUCKET}/input-props/ours.json")
        assert json.loads(payload)["inputProps"] == {"type": "bucket-url", "hash": "ours", "bucketName": BUCKET}

    def test_equal_props_of_two_renders_are_two_files(self, bucket: Any) -> None:
        for name in ("one", "two"):
            build(self.PROPS, name)
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
            build(self.PROPS)
        assert aws.count(INVOKE) == 0
