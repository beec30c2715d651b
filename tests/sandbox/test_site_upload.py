import urllib.request
from pathlib import Path
from typing import Any

import pytest

from renders.sandbox.site import BUCKET, Site


@pytest.fixture
def s3(bucket: Any) -> Any:
    bucket.create_bucket(Bucket=BUCKET)
    return bucket


def keys(s3: Any) -> list[str]:
    return [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]


class TestUpload:
    def test_files_are_public_and_have_their_types(self, s3: Any, tmp_path: Path, s3_server: str) -> None:
        (tmp_path / "public").mkdir()
        for name in ("index.html", "bundle.js", "public/font.woff2", "public/unknown"):
            (tmp_path / name).write_text(name)
        site = Site("a", tmp_path)
        site.upload(s3)
        assert keys(s3) == [
            f"sites/a/{name}" for name in ("bundle.js", "index.html", "public/font.woff2", "public/unknown")
        ]
        with urllib.request.urlopen(f"{s3_server}{site.public_path}index.html") as page:  # noqa: S310
            assert page.read() == b"index.html"
            assert page.headers["Content-Type"] == "text/html"
            assert page.headers["Cache-Control"] == "no-cache"
        types = [s3.head_object(Bucket=BUCKET, Key=key)["ContentType"] for key in keys(s3)]
        assert types == ["text/javascript", "text/html", "font/woff2", "application/octet-stream"]

    def test_files_of_an_earlier_bundle_go_and_those_of_other_sites_stay(self, s3: Any, tmp_path: Path) -> None:
        (tmp_path / "index.html").touch()
        for key in ("sites/a/old.js", "sites/ab/other.js"):
            s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
        Site("a", tmp_path).upload(s3)
        assert keys(s3) == ["sites/a/index.html", "sites/ab/other.js"]
