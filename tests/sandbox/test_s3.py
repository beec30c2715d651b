import io
import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from django.conf import settings as django_settings

from renders.sandbox.network import bypass_proxies_for_loopback, listen
from renders.sandbox.site import BUCKET as SITES

BUCKET = "bucket-of-tests"


class Server:
    """The sandbox's S3 as a process that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = 0

    def start(self, port: int = 0) -> Any:
        """Start the process and return a client of it."""
        command = [sys.executable, "-m", "renders.sandbox.s3", str(port), str(self._folder / "objects.sqlite3")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=django_settings.BASE_DIR, stdout=subprocess.PIPE, stderr=log)
        assert self._process.stdout
        self.port = json.loads(self._process.stdout.readline())["port"]
        session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")
        # moto answers a copy of an upload of several parts with a checksum that is not the copy's.
        config = Config(response_checksum_validation="when_required")
        return session.client("s3", endpoint_url=f"http://127.0.0.1:{self.port}", config=config)

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    bypass_proxies_for_loopback()
    server = Server(tmp_path)
    yield server
    server.kill()


@pytest.fixture
def s3(server: Server) -> Any:
    client = server.start()
    client.create_bucket(Bucket=BUCKET)
    return client


PASSING = re.compile("date|x-amzn-requestid|x-amz-(sdk-)?checksum-.*")
"""Headers that differ from answer to answer, and checksums, which are not kept."""


def contents(s3: Any) -> dict[str, Any]:
    """Return all else that a client can see of each object."""
    found = {}
    for item in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        answer = s3.get_object(Bucket=BUCKET, Key=item["Key"])
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        ours = {name: value for name, value in headers.items() if not PASSING.fullmatch(name)}
        found[item["Key"]] = (item["LastModified"], item["ETag"], answer["Body"].read(), ours)
    return found


class TestAfterAKill:
    def test_objects_are_as_they_were(self, server: Server, s3: Any) -> None:
        options = {"ContentType": "video/mp4", "ContentDisposition": "attachment", "Metadata": {"some": "thing"}}
        s3.put_object(Bucket=BUCKET, Key="a/ä b+c/%41", Body=b"small", **options)
        s3.upload_fileobj(io.BytesIO(b"x" * 9_000_000), BUCKET, "of several parts")
        s3.copy_object(Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": "of several parts"})
        before = contents(s3)
        server.kill()
        assert len(before) == 3
        assert contents(server.start()) == before

    def test_what_was_deleted_is_gone(self, server: Server, s3: Any) -> None:
        for key in "abcd":
            s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
        s3.delete_object(Bucket=BUCKET, Key="a")
        s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "b"}, {"Key": "c"}]})
        server.kill()
        assert list(contents(server.start())) == ["d"]

    def test_of_many_writers_of_one_key_the_last_one_counts(self, server: Server, s3: Any) -> None:
        with ThreadPoolExecutor(max_workers=8) as writers:
            list(writers.map(lambda body: s3.put_object(Bucket=BUCKET, Key="a", Body=body), [b"x", b"yy"] * 40))
        before = contents(s3)["a"][1]
        server.kill()
        assert contents(server.start())["a"][1] == before

    def test_public_objects_are_public_and_private_ones_are_not(self, server: Server, s3: Any) -> None:
        s3.put_object(Bucket=BUCKET, Key="public", Body=b"for all", ACL="public-read")
        s3.put_object(Bucket=BUCKET, Key="private", Body=b"for us")
        server.kill()
        server.start()
        address = f"http://127.0.0.1:{server.port}/{BUCKET}"
        with urllib.request.urlopen(f"{address}/public") as response:  # noqa: S310
            assert response.read() == b"for all"
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(f"{address}/private")  # noqa: S310


def test_a_request_that_is_refused_changes_nothing(s3: Any) -> None:
    with pytest.raises(ClientError, match="NoSuchBucket"):
        s3.put_object(Bucket="another-bucket", Key="a", Body=b"")
    assert contents(s3) == {}


def test_assets_of_a_site_that_was_bundled_for_aws_are_found(server: Server, s3: Any) -> None:
    s3.create_bucket(Bucket=SITES)
    s3.put_object(Bucket=SITES, Key="sites/my video/bundle.js", Body=b"code", ACL="public-read")
    address = f"http://127.0.0.1:{server.port}/sites/my%20video/bundle.js"
    with urllib.request.urlopen(address) as response:
        assert response.read() == b"code"


def test_a_taken_port_is_replaced_by_a_free_one(server: Server) -> None:
    with listen(0) as taken:
        port = taken.getsockname()[1]
        server.start(port)
    assert server.port != port
