"""The small calls to Remotion's bucket: a render's output, cancelling, listing, deleting."""

import json
import time
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

from botocore.exceptions import ClientError

from renders.remotion.aws import error_code, s3_client, translated_errors
from renders.remotion.config import RemotionConfig
from renders.remotion.errors import AccessDenied

SIGNED_URL_SECONDS = 3600
MISSING_CODES = {"NoSuchKey", "NoSuchBucket", "404"}


@dataclass(frozen=True)
class StoredFile:
    """A file in a bucket."""

    key: str
    last_modified: datetime


@dataclass(frozen=True)
class OutputSearch:
    """Whether an output is on S3, and the time on S3's clock when it was looked for."""

    size: int | None
    """Bytes; None if there is none."""
    at_in_ms: float


def find_output(config: RemotionConfig, *, bucket_name: str, key: str) -> OutputSearch:
    """Looks for an output. Raises SetupError and its kinds, or Unavailable: neither says that it is not there."""
    config.require_credentials()
    size = None
    with translated_errors(config):
        try:
            response = s3_client(config).head_object(Bucket=bucket_name, Key=key)
            size = response["ContentLength"]
        except ClientError as err:
            if error_code(err) not in MISSING_CODES:
                raise
            response = err.response
    date = response["ResponseMetadata"]["HTTPHeaders"].get("date")
    at = parsedate_to_datetime(date).timestamp() if date else time.time()
    return OutputSearch(size, at * 1000)


def sign_output_url(config: RemotionConfig, *, bucket_name: str, key: str) -> str:
    """A URL that shows the output to whoever holds it, for one hour.

    Asks S3 nothing; a role's credentials may have to be fetched. Raises as ``find_output``.
    """
    config.require_credentials()
    with translated_errors(config):
        url: str = s3_client(config).generate_presigned_url(
            "get_object", Params={"Bucket": bucket_name, "Key": key}, ExpiresIn=SIGNED_URL_SECONDS
        )
    return url


def request_cancel(config: RemotionConfig, *, bucket_name: str, render_id: str) -> None:
    """Asks Remotion to stop a render; its renderers look each second. Raises as ``find_output``.

    https://www.remotion.dev/docs/lambda/cancelrenderonlambda
    """
    config.require_credentials()
    body = json.dumps({"cancelledAt": int(time.time() * 1000)}).encode()
    key = f"renders/{render_id}/cancel.json"
    with translated_errors(config):
        s3_client(config).put_object(Bucket=bucket_name, Key=key, Body=body, ContentType="application/json")


def list_buckets(config: RemotionConfig) -> list[str]:
    """Remotion's buckets in the region. One request. Raises as ``find_output``."""
    config.require_credentials()
    prefix = f"remotionlambda-{config.region.replace('-', '')}-"
    with translated_errors(config):
        names = [bucket["Name"] for bucket in s3_client(config).list_buckets()["Buckets"]]
    return [name for name in names if name.startswith(prefix)]


def list_renders(config: RemotionConfig, *, bucket_name: str, after: str) -> tuple[list[StoredFile], str]:
    """Up to 1,000 files of the bucket's renders, by key after ``after``, and where to go on.

    That is empty at the end. One request. Raises as ``find_output``.
    """
    config.require_credentials()
    with translated_errors(config):
        page = s3_client(config).list_objects_v2(Bucket=bucket_name, Prefix="renders/", StartAfter=after)
    files = [StoredFile(item["Key"], item["LastModified"]) for item in page.get("Contents", [])]
    return files, files[-1].key if page["IsTruncated"] else ""


def delete_render(config: RemotionConfig, *, bucket_name: str, render_id: str) -> int:
    """Deletes all files of a render; how many there were. Raises as ``find_output``."""
    config.require_credentials()
    deleted = 0
    with translated_errors(config):
        pages = (
            s3_client(config)
            .get_paginator("list_objects_v2")
            .paginate(Bucket=bucket_name, Prefix=f"renders/{render_id}/")
        )
        for page in pages:
            keys = [{"Key": item["Key"]} for item in page.get("Contents", [])]
            if keys:
                answer = s3_client(config).delete_objects(Bucket=bucket_name, Delete={"Objects": keys, "Quiet": True})
                if errors := answer.get("Errors"):
                    raise AccessDenied(f"S3 did not delete {errors[0]['Key']} ({errors[0]['Code']}).")
                deleted += len(keys)
    return deleted
