"""The small calls to Remotion's bucket: find and sign an output, cancel, list, delete.

Each raises SetupError or one of its kinds if S3 refuses, Unavailable if it does not answer.
"""

import json
import time
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

from botocore.exceptions import ClientError
from django.utils.http import content_disposition_header

from renders.remotion.aws import error_code, s3_client, translated_errors
from renders.remotion.errors import AccessDenied
from renders.remotion.target import LambdaTarget

SIGNED_URL_SECONDS = 3600
DELETE_AFTER = ("1-day", "3-days", "7-days", "30-days")
MISSING_CODES = {"NoSuchKey", "NoSuchBucket", "404"}


@dataclass(frozen=True)
class StoredFile:
    """A file in a bucket."""

    key: str
    last_modified: datetime


@dataclass(frozen=True)
class OutputSearch:
    """Whether an output exists, and the time on S3's clock when it was looked for."""

    size: int | None
    """Bytes; None if there is no output."""
    at_in_ms: float
    """Milliseconds since 1970."""


def find_output(target: LambdaTarget, *, bucket_name: str, key: str) -> OutputSearch:
    """Look for an output with one HEAD request. An error does not mean that it is missing."""
    target.require_credentials()
    size = None
    with translated_errors(target):
        try:
            response = s3_client(target).head_object(Bucket=bucket_name, Key=key)
            size = response["ContentLength"]
        except ClientError as err:
            if error_code(err) not in MISSING_CODES:
                raise
            response = err.response
    date = response["ResponseMetadata"]["HTTPHeaders"].get("date")
    at = parsedate_to_datetime(date).timestamp() if date else time.time()
    return OutputSearch(size, at * 1000)


def sign_output_url(target: LambdaTarget, *, bucket_name: str, key: str, file_name: str = "") -> str:
    """Return a URL that shows the file to whoever has it, for one hour. S3 is not asked.

    With a ``file_name`` it is downloaded under that, whatever Remotion has stored with the file.
    """
    target.require_credentials()
    parameters = {"Bucket": bucket_name, "Key": key}
    if file_name:
        parameters["ResponseContentDisposition"] = content_disposition_header(True, file_name) or ""
    with translated_errors(target):
        url: str = s3_client(target).generate_presigned_url(
            "get_object", Params=parameters, ExpiresIn=SIGNED_URL_SECONDS
        )
    return url


def missing_lifecycle_rules(target: LambdaTarget, *, bucket_name: str) -> list[str]:
    """Return the values of ``deleteAfter`` for which the bucket has no enabled rule that deletes the files.

    https://www.remotion.dev/docs/lambda/autodelete
    """
    target.require_credentials()
    with translated_errors(target):
        try:
            rules = s3_client(target).get_bucket_lifecycle_configuration(Bucket=bucket_name)["Rules"]
        except ClientError as err:
            if error_code(err) != "NoSuchLifecycleConfiguration":
                raise
            rules = []
    enabled = [rule for rule in rules if rule["Status"] == "Enabled" and "Expiration" in rule]
    prefixes = {rule.get("Filter", {}).get("Prefix", rule.get("Prefix")) for rule in enabled}
    return [name for name in DELETE_AFTER if f"renders/{name}" not in prefixes]


def request_cancel(target: LambdaTarget, *, bucket_name: str, render_id: str) -> None:
    """Ask Remotion to cancel a render: its renderers look for this file each second.

    https://www.remotion.dev/docs/lambda/cancelrenderonlambda
    """
    target.require_credentials()
    body = json.dumps({"cancelledAt": int(time.time() * 1000)}).encode()
    key = f"renders/{render_id}/cancel.json"
    with translated_errors(target):
        s3_client(target).put_object(Bucket=bucket_name, Key=key, Body=body, ContentType="application/json")


def list_buckets(target: LambdaTarget) -> list[str]:
    """Return the names of Remotion's buckets in the target's region. One request."""
    target.require_credentials()
    prefix = f"remotionlambda-{target.region.replace('-', '')}-"
    with translated_errors(target):
        names = [bucket["Name"] for bucket in s3_client(target).list_buckets()["Buckets"]]
    return [name for name in names if name.startswith(prefix)]


def list_render_files(target: LambdaTarget, *, bucket_name: str, after: str) -> tuple[list[StoredFile], str]:
    """Return up to 1,000 files under ``renders/`` whose key follows ``after``, and where to go on.

    The second value is empty after the last file. One request.
    """
    target.require_credentials()
    with translated_errors(target):
        page = s3_client(target).list_objects_v2(Bucket=bucket_name, Prefix="renders/", StartAfter=after)
    files = [StoredFile(item["Key"], item["LastModified"]) for item in page.get("Contents", [])]
    return files, files[-1].key if page["IsTruncated"] else ""


def delete_render_files(target: LambdaTarget, *, bucket_name: str, render_id: str) -> int:
    """Delete all files of a render, its output among them, and return how many there were."""
    return _delete_all(target, bucket_name=bucket_name, prefix=f"renders/{render_id}/")


def delete_input_props(target: LambdaTarget, *, bucket_name: str, name: str) -> int:
    """Delete the input props that a start uploaded under ``name``; return 1, or 0 if there are none.

    The function deletes them itself when it ends, but not if it breaks off before it begins to
    render, and a refused start leaves them too.
    """
    return _delete_all(target, bucket_name=bucket_name, prefix=f"input-props/{name}.json")


def _delete_all(target: LambdaTarget, *, bucket_name: str, prefix: str) -> int:
    target.require_credentials()
    s3, deleted = s3_client(target), 0
    with translated_errors(target):
        try:
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket_name, Prefix=prefix):
                if keys := [{"Key": item["Key"]} for item in page.get("Contents", [])]:
                    answer = s3.delete_objects(Bucket=bucket_name, Delete={"Objects": keys, "Quiet": True})
                    if errors := answer.get("Errors"):
                        raise AccessDenied(f"S3 did not delete {errors[0]['Key']} ({errors[0]['Code']}).")
                    deleted += len(keys)
        except ClientError as err:
            if error_code(err) != "NoSuchBucket":
                raise
    return deleted
