"""Reading from Remotion's bucket: each way in which S3 can answer, or not."""

import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from renders.remotion import aws as aws_clients
from renders.remotion import storage
from renders.remotion.config import RemotionConfig
from renders.remotion.errors import (
    AccessDenied,
    RemotionError,
    SetupError,
    Unavailable,
)
from renders.remotion.pricing import PRICES
from tests.factories import BUCKET, load_recording
from tests.servers import Answer, ScriptedServer, reply, s3_error

PROGRESS = f"/{BUCKET}/renders/abc123/progress.json"
OUTPUT_KEY = "renders/abc123/out.mp4"


def read_progress() -> storage.ProgressReading | None:
    return storage.read_progress(RemotionConfig.from_settings(), bucket_name=BUCKET, render_id="abc123")


def find_output() -> int | None:
    return storage.find_output(RemotionConfig.from_settings(), bucket_name=BUCKET, key=OUTPUT_KEY)


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
        monkeypatch.setattr(aws_clients, "READ_TIMEOUT_SECONDS", 0.2)
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
        url = storage.sign_output_url(RemotionConfig.from_settings(), bucket_name=BUCKET, key=OUTPUT_KEY)
        domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        assert url.startswith(f"https://{BUCKET}.s3.{region}.{domain}/{OUTPUT_KEY}?")

    def test_url_is_signed_for_an_hour_without_asking_aws(self) -> None:
        url = storage.sign_output_url(RemotionConfig.from_settings(), bucket_name=BUCKET, key=OUTPUT_KEY)
        assert url.startswith(f"https://{BUCKET}.s3.amazonaws.com/{OUTPUT_KEY}?")
        assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in url
        assert "X-Amz-Expires=3600" in url
        assert "not-a-secret" not in url
