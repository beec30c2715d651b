"""Building payloads: what becomes of input props that are too large for a request."""

import json
from typing import Any

import pytest
from remotion_lambda import RenderMediaParams

from renders.remotion.errors import PropsNotStored, RemotionError, Unavailable
from renders.remotion.payload import build_payload
from renders.remotion.target import LambdaTarget
from tests.factories import BUCKET, INPUT_PROPS
from tests.recorded import recorded_answer
from tests.servers import INVOKE, Answer, ScriptedServer, s3_error


def build(input_props: dict[str, Any] = INPUT_PROPS, props_name: str = "ours", **options: Any) -> str:
    params = RenderMediaParams(composition="DynamicComp", input_props=input_props, bucket_name=BUCKET)
    return build_payload(
        LambdaTarget.from_settings(), params, serve_url="renderhub", props_name=props_name, options=options
    )


class TestOptions:
    def test_are_set_under_remotions_names(self) -> None:
        payload = json.loads(build(codec="vp8", crf=9, chromiumOptions={"userAgent": "ours"}, frameRange=[3, 9]))
        assert (payload["codec"], payload["crf"], payload["frameRange"]) == ("vp8", 9, [3, 9])
        assert payload["chromiumOptions"] == {"userAgent": "ours"}
        assert payload["downloadBehavior"] == {"type": "download", "fileName": "video.webm"}

    def test_replace_no_key_of_the_protocol(self) -> None:
        sets = set(json.loads(build(codec="gif", everyNthFrame=2))) - set(json.loads(build()))
        assert sets == set(), "every key has a value without options too"

    def test_privacy_is_the_settings_unless_a_render_has_its_own(self, settings: Any) -> None:
        settings.REMOTION_PRIVACY = "no-acl"
        assert json.loads(build())["privacy"] == "no-acl"
        assert json.loads(build(privacy="public"))["privacy"] == "public"

    def test_the_licence_is_the_settings(self, settings: Any) -> None:
        settings.REMOTION_LICENSE_KEY, settings.REMOTION_IS_PRODUCTION = "rm_pub_1", False
        payload = json.loads(build())
        assert (payload["licenseKey"], payload["isProduction"]) == ("rm_pub_1", False)


class TestVersion:
    def test_is_that_of_the_function_it_goes_to(self, settings: Any) -> None:
        settings.REMOTION_FUNCTION_NAME = "remotion-render-4-0-403-mem2048mb-disk2048mb-120sec"
        assert json.loads(build())["version"] == "4.0.403"

    def test_is_asked_where_the_name_does_not_tell_it(self, aws: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_FUNCTION_NAME = "our-function"
        aws.answers[INVOKE] = recorded_answer("info", version="4.0.286")
        assert json.loads(build())["version"] == "4.0.286"


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
