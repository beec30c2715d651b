"""The small calls to Remotion's bucket: its outputs."""

import time
from typing import Any

import pytest

from renders.remotion import storage
from renders.remotion.errors import (
    AccessDenied,
)
from renders.remotion.target import LambdaTarget
from tests.factories import BUCKET
from tests.servers import Answer, ScriptedServer

PROGRESS = f"/{BUCKET}/renders/abc123/progress.json"
OUTPUT_KEY = "renders/abc123/out.mp4"


def find_output() -> int | None:
    return storage.find_output(LambdaTarget.from_settings(), bucket_name=BUCKET, key=OUTPUT_KEY).size


class TestOutput:
    def test_it_is_looked_for_at_a_time_on_s3s_clock(self, aws: ScriptedServer) -> None:
        aws.answers[f"/{BUCKET}/"] = Answer(b"12345")
        search = storage.find_output(LambdaTarget.from_settings(), bucket_name=BUCKET, key=OUTPUT_KEY)
        assert search.at_in_ms == pytest.approx(time.time() * 1000, abs=3000)

    def test_its_size_is_found(self, bucket: Any) -> None:
        bucket.put_object(Bucket=BUCKET, Key=OUTPUT_KEY, Body=b"12345")
        assert find_output() == 5

    def test_no_output_is_none(self, bucket: Any) -> None:
        assert find_output() is None

    def test_no_bucket_is_none(self, bucket: Any) -> None:
        bucket.delete_bucket(Bucket=BUCKET)
        assert find_output() is None

    def test_forbidden_is_not_missing(self, aws: ScriptedServer) -> None:
        aws.answers[f"/{BUCKET}/"] = Answer(status=403)
        with pytest.raises(AccessDenied):
            find_output()

    # An old region, one that is opt-in, and each of China's, whose domain is another.
    @pytest.mark.parametrize("region", ["eu-central-1", "af-south-1", "cn-north-1", "cn-northwest-1"])
    def test_url_names_the_region(self, settings: Any, region: str) -> None:
        settings.REMOTION_REGION = region
        url = storage.sign_output_url(LambdaTarget.from_settings(), bucket_name=BUCKET, key=OUTPUT_KEY)
        domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        assert url.startswith(f"https://{BUCKET}.s3.{region}.{domain}/{OUTPUT_KEY}?")

    def test_url_is_signed_for_an_hour_without_asking_aws(self) -> None:
        url = storage.sign_output_url(LambdaTarget.from_settings(), bucket_name=BUCKET, key=OUTPUT_KEY)
        assert url.startswith(f"https://{BUCKET}.s3.amazonaws.com/{OUTPUT_KEY}?")
        assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in url
        assert "X-Amz-Expires=3600" in url
        assert "not-a-secret" not in url
