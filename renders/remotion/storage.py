"""Remotion's bucket: a render's progress and output, cancelling, listing, deleting.

Reads go to S3 and not through the function: its ``status`` routine costs an invocation and
answers only clients of its own version.
"""

import json
import time
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import ClientError

from renders.remotion.aws import error_code, parse_json, s3_client, translated_errors
from renders.remotion.config import RemotionConfig
from renders.remotion.errors import AccessDenied, Unavailable
from renders.remotion.progress import progress_key

SIGNED_URL_SECONDS = 3600
MISSING_CODES = {"NoSuchKey", "NoSuchBucket", "404"}


@dataclass(frozen=True)
class StoredFile:
    """A file in a bucket."""

    key: str
    last_modified: datetime


@dataclass(frozen=True)
class ProgressReading:
    """A ``progress.json`` and the time on S3's clock when it was read, in ms since 1970."""

    progress_json: dict[str, Any]
    read_at_in_ms: float


def read_progress(config: RemotionConfig, *, bucket_name: str, render_id: str) -> ProgressReading | None:
    """The render's ``progress.json``; None if there is none, as just after the start.

    Raises SetupError and its kinds, or Unavailable: none of them says anything of the render.
    """
    config.require_credentials()
    with translated_errors(config):
        try:
            response = s3_client(config).get_object(Bucket=bucket_name, Key=progress_key(render_id))
            body = response["Body"].read()
        except ClientError as err:
            if error_code(err) in MISSING_CODES:
                return None
            raise
    try:
        progress_json = parse_json(body)
    except ValueError as err:
        raise Unavailable("S3 answered with a progress.json that is torn. It will be read again.") from err
    if not isinstance(progress_json, dict):
        raise Unavailable("S3 answered with something that is not a progress.json. It will be read again.")
    date = response["ResponseMetadata"]["HTTPHeaders"].get("date")
    read_at = parsedate_to_datetime(date).timestamp() if date else time.time()
    return ProgressReading(progress_json, read_at_in_ms=read_at * 1000)


def find_output(config: RemotionConfig, *, bucket_name: str, key: str) -> int | None:
    """The size in bytes of an output that is on S3, else None. Raises as ``read_progress``."""
    config.require_credentials()
    with translated_errors(config):
        try:
            size: int = s3_client(config).head_object(Bucket=bucket_name, Key=key)["ContentLength"]
        except ClientError as err:
            if error_code(err) in MISSING_CODES:
                return None
            raise
    return size


def sign_output_url(config: RemotionConfig, *, bucket_name: str, key: str) -> str:
    """A URL that shows the output to whoever holds it, for one hour.

    Asks S3 nothing; a role's credentials may have to be fetched. Raises as ``read_progress``.
    """
    config.require_credentials()
    with translated_errors(config):
        url: str = s3_client(config).generate_presigned_url(
            "get_object", Params={"Bucket": bucket_name, "Key": key}, ExpiresIn=SIGNED_URL_SECONDS
        )
    return url


def request_cancel(config: RemotionConfig, *, bucket_name: str, render_id: str) -> None:
    """Asks Remotion to stop a render; its renderers look each second. Raises as ``read_progress``.

    https://www.remotion.dev/docs/lambda/cancelrenderonlambda
    """
    config.require_credentials()
    body = json.dumps({"cancelledAt": int(time.time() * 1000)}).encode()
    key = f"renders/{render_id}/cancel.json"
    with translated_errors(config):
        s3_client(config).put_object(Bucket=bucket_name, Key=key, Body=body, ContentType="application/json")


def list_buckets(config: RemotionConfig) -> list[str]:
    """Remotion's buckets in the region. One request. Raises as ``read_progress``."""
    config.require_credentials()
    prefix = f"remotionlambda-{config.region.replace('-', '')}-"
    with translated_errors(config):
        names = [bucket["Name"] for bucket in s3_client(config).list_buckets()["Buckets"]]
    return [name for name in names if name.startswith(prefix)]


def list_renders(config: RemotionConfig, *, bucket_name: str, after: str) -> tuple[list[StoredFile], str]:
    """Up to 1,000 files of the bucket's renders, by key after ``after``, and where to go on.

    That is empty at the end. One request. Raises as ``read_progress``.
    """
    config.require_credentials()
    with translated_errors(config):
        page = s3_client(config).list_objects_v2(Bucket=bucket_name, Prefix="renders/", StartAfter=after)
    files = [StoredFile(item["Key"], item["LastModified"]) for item in page.get("Contents", [])]
    return files, files[-1].key if page["IsTruncated"] else ""


def delete_render(config: RemotionConfig, *, bucket_name: str, render_id: str) -> int:
    """Deletes all files of a render; how many there were. Raises as ``read_progress``."""
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
