"""The one module that talks to AWS: starts a render, reads its progress, finds and signs its output.

A start is tried once: Remotion's function makes the renderId, so a repeated call would be a
second, paid render. Everything that does not prove that nothing ran is OutcomeUnknown.
Reads go to S3 and not through the function: its ``status`` routine costs an invocation and
answers only clients of its own version.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)
from remotion_lambda import RemotionClient, RenderMediaParams
from remotion_lambda.exception import RemotionException, RemotionInvalidArgumentException
from remotion_lambda.models import ShouldDownload
from urllib3.exceptions import HTTPError

from renders.remotion.config import CODEC, FRAMES_PER_LAMBDA, RemotionConfig, how_to_deploy
from renders.remotion.errors import (
    AccessDenied,
    FunctionMissing,
    OutcomeUnknown,
    Rejected,
    RemotionError,
    SetupError,
    Throttled,
    Unavailable,
    VersionMismatch,
)
from renders.remotion.progress import progress_key

DOWNLOAD_NAME = "video.mp4"
SIGNED_URL_SECONDS = 3600

READ_TIMEOUT_SECONDS = 5

# A broken proxy is not among them: it may have passed the request on.
NOT_CONNECTED = (ConnectTimeoutError, EndpointConnectionError)
BROKEN_OFF = (BotoCoreError, HTTPError, OSError)
NO_CREDENTIALS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    TokenRetrievalError,
    SSOError,
)
# What Remotion's `start` says before it launches the render. It launches and writes the first
# progress.json at once, so any other message may come of that writing, with the render started.
REFUSALS = (
    "Remotion Lambda can only render based on a URL in the cloud",
    "You have multiple buckets",
    "lambda:InvokeFunction",
    "s3:ListAllMyBuckets",
    "Payload is too big",
)
NO_ROOM = "AWS Lambda has no room for another function now. Nothing was started; try again later."
PERMISSIONS_PAGE = "https://www.remotion.dev/docs/lambda/permissions"
MISSING_CODES = {"NoSuchKey", "NoSuchBucket", "404"}


@dataclass(frozen=True)
class StartedRender:
    """What Remotion calls the render that it has started."""

    render_id: str
    bucket_name: str


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


class _PayloadBuilder(RemotionClient):
    """The official client, for the payload alone; large props go to the configured bucket, if any."""

    def __init__(self, config: RemotionConfig) -> None:
        config.require_site()
        super().__init__(
            region=config.region,
            serve_url=config.serve_url,
            function_name=config.function_name,
            session=_session(config),
        )
        self._remotion_config = config

    def _create_s3_client(self) -> Any:
        return _s3(self._remotion_config)

    def _get_or_create_bucket(self) -> str:
        return self._remotion_config.bucket_name or super()._get_or_create_bucket()


def start(config: RemotionConfig, *, input_props: dict[str, Any], out_name: str) -> StartedRender:
    """Asks the function to start a render, once, and says which one it is.

    Raises SetupError and its kinds, Rejected, Throttled or Unavailable where nothing was started,
    and OutcomeUnknown where that cannot be told.
    https://www.remotion.dev/docs/lambda/python
    """
    config.require_credentials()
    payload = _payload(config, input_props=input_props, out_name=out_name)
    return _read_start_reply(config, _invoke(config, payload))


def read_progress(config: RemotionConfig, *, bucket_name: str, render_id: str) -> ProgressReading | None:
    """The render's ``progress.json``; None if there is none, as just after the start.

    Raises SetupError and its kinds, or Unavailable: none of them says anything of the render.
    """
    config.require_credentials()
    with _translated_read_errors(config):
        try:
            response = _s3(config).get_object(Bucket=bucket_name, Key=progress_key(render_id))
            body = response["Body"].read()
        except ClientError as err:
            if _code(err) in MISSING_CODES:
                return None
            raise
    try:
        progress_json = _parse(body)
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
    with _translated_read_errors(config):
        try:
            size: int = _s3(config).head_object(Bucket=bucket_name, Key=key)["ContentLength"]
        except ClientError as err:
            if _code(err) in MISSING_CODES:
                return None
            raise
    return size


def sign_output_url(config: RemotionConfig, *, bucket_name: str, key: str) -> str:
    """A URL that shows the output to whoever holds it, for one hour.

    Asks S3 nothing; a role's credentials may have to be fetched. Raises as ``read_progress``.
    """
    config.require_credentials()
    with _translated_read_errors(config):
        url: str = _s3(config).generate_presigned_url(
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
    with _translated_read_errors(config):
        _s3(config).put_object(Bucket=bucket_name, Key=key, Body=body, ContentType="application/json")


def find_bucket(config: RemotionConfig) -> str | None:
    """The bucket that the function uses: the configured one, else Remotion's only one in the region."""
    config.require_credentials()
    if config.bucket_name:
        return config.bucket_name
    prefix = f"remotionlambda-{config.region.replace('-', '')}-"
    with _translated_read_errors(config):
        buckets = [bucket["Name"] for bucket in _s3(config).list_buckets()["Buckets"]]
    found = [name for name in buckets if name.startswith(prefix)]
    return found[0] if len(found) == 1 else None


def list_renders(config: RemotionConfig, *, bucket_name: str, after: str) -> tuple[list[StoredFile], str]:
    """Up to 1,000 files of the bucket's renders, by key after ``after``, and where to go on.

    That is empty at the end. One request. Raises as ``read_progress``.
    """
    config.require_credentials()
    with _translated_read_errors(config):
        page = _s3(config).list_objects_v2(Bucket=bucket_name, Prefix="renders/", StartAfter=after)
    files = [StoredFile(item["Key"], item["LastModified"]) for item in page.get("Contents", [])]
    return files, files[-1].key if page["IsTruncated"] else ""


def delete_render(config: RemotionConfig, *, bucket_name: str, render_id: str) -> int:
    """Deletes all files of a render; how many there were. Raises as ``read_progress``."""
    config.require_credentials()
    deleted = 0
    with _translated_read_errors(config):
        pages = (
            _s3(config).get_paginator("list_objects_v2").paginate(Bucket=bucket_name, Prefix=f"renders/{render_id}/")
        )
        for page in pages:
            keys = [{"Key": item["Key"]} for item in page.get("Contents", [])]
            if keys:
                answer = _s3(config).delete_objects(Bucket=bucket_name, Delete={"Objects": keys, "Quiet": True})
                if errors := answer.get("Errors"):
                    raise AccessDenied(f"S3 did not delete {errors[0]['Key']} ({errors[0]['Code']}).")
                deleted += len(keys)
    return deleted


# The clients: boto3's are safe to share between threads, and slow to make. ----------------------


@lru_cache(maxsize=32)
def _session(config: RemotionConfig) -> Any:
    keys: dict[str, str | None] = {}
    if not config.use_default_credentials:
        keys = {
            "aws_access_key_id": config.access_key_id,
            "aws_secret_access_key": config.secret_access_key,
            "aws_session_token": config.session_token or None,
        }
    try:
        return boto3.Session(region_name=config.region, **keys)
    except BotoCoreError as err:
        raise SetupError(f"The settings for AWS do not make sense to boto3: {err}") from err


@lru_cache(maxsize=32)
def _payload_builder(config: RemotionConfig) -> _PayloadBuilder:
    return _PayloadBuilder(config)


@lru_cache(maxsize=32)
def _s3(config: RemotionConfig) -> Any:
    options = Config(
        signature_version="s3v4",
        # Without it, signed URLs name S3's global host, which newer regions refuse.
        s3={"addressing_style": "virtual"},
        connect_timeout=3,
        read_timeout=READ_TIMEOUT_SECONDS,
        retries={"total_max_attempts": 2, "mode": "standard"},
        max_pool_connections=32,
    )
    return _make_client("s3", config, endpoint_url=config.s3_endpoint_url, options=options)


@lru_cache(maxsize=32)
def _lambda(config: RemotionConfig) -> Any:
    options = Config(
        connect_timeout=5,
        # Beyond its own time limit the function answers nothing.
        read_timeout=min(config.start_timeout, config.function_timeout),
        retries={"total_max_attempts": 1, "mode": "standard"},
        max_pool_connections=32,
    )
    return _make_client("lambda", config, endpoint_url=config.lambda_endpoint_url, options=options)


def _make_client(service: str, config: RemotionConfig, *, endpoint_url: str, options: Config) -> Any:
    try:
        return _session(config).client(service, endpoint_url=endpoint_url or None, config=options)
    except (ValueError, BotoCoreError) as err:
        raise SetupError(f"The settings for AWS do not make sense to boto3: {err}") from err


# Starting ----------------------------------------------------------------------------------------


def _payload(config: RemotionConfig, *, input_props: dict[str, Any], out_name: str) -> str:
    params = RenderMediaParams(
        composition=config.composition,
        input_props=input_props,
        bucket_name=config.bucket_name or None,
        codec=CODEC,
        frames_per_lambda=FRAMES_PER_LAMBDA,
        out_name=out_name,
        download_behavior=ShouldDownload(type="download", fileName=DOWNLOAD_NAME),
        privacy=config.privacy,
        enable_cancellation=True,
    )
    with _translated_read_errors(config):
        try:
            return _payload_builder(config).construct_render_request(params, render_type="video-or-audio")
        except RemotionInvalidArgumentException as err:
            if isinstance(err.__cause__, ClientError):
                raise err.__cause__ from err
            raise Rejected(f"Remotion cannot take these input props: {err}") from err
        except RemotionException as err:
            raise Rejected(str(err)) from err


def _invoke(config: RemotionConfig, payload: str) -> bytes:
    """Invokes the function once; its reply, or an error for each way in which there is none."""
    client = _lambda(config)
    try:
        response = client.invoke(FunctionName=config.function_name, Payload=payload)
        body: bytes = response["Payload"].read()
    except NO_CREDENTIALS as err:
        raise AccessDenied(f"AWS credentials were not found by boto3's own chain: {err}") from err
    except NOT_CONNECTED as err:
        raise Unavailable("AWS Lambda cannot be reached. Nothing was started; try again later.") from err
    except ClientError as err:
        if err.operation_name != "Invoke":
            raise AccessDenied(f"AWS gave no credentials to call it with: {err}") from err
        raise _start_refused(config, err) from err
    except BROKEN_OFF as err:
        raise OutcomeUnknown(
            f"AWS Lambda did not answer ({type(err).__name__}), so it is not known whether the render started."
            " It is not started again by itself."
        ) from err
    if "FunctionError" in response:
        raise OutcomeUnknown(
            f"The function {config.function_name} broke off ({_function_error(body)}),"
            " so it is not known whether the render started. It is not started again by itself."
        )
    return body


def _read_start_reply(config: RemotionConfig, body: bytes) -> StartedRender:
    try:
        reply = _parse(body)
        if reply["type"] == "success":
            return StartedRender(render_id=str(reply["renderId"]), bucket_name=str(reply["bucketName"]))
        message = str(reply["message"]).strip()
    except (ValueError, TypeError, KeyError) as err:
        raise OutcomeUnknown(
            f"The function {config.function_name} answered something that is not a reply of Remotion's,"
            " so it is not known whether the render started. It is not started again by itself."
        ) from err
    if message.startswith("Version mismatch"):
        raise VersionMismatch(
            f"The function {config.function_name} has another version of Remotion than this service."
            f" {how_to_deploy(config)}"
        )
    if message.startswith("Rate Exceeded"):
        raise Throttled(NO_ROOM)
    if any(refusal in message for refusal in REFUSALS):
        raise Rejected(f"Remotion rejected the render: {message}")
    raise OutcomeUnknown(
        f"Remotion failed while it started the render, so it is not known whether it goes on: {message}"
    )


def _start_refused(config: RemotionConfig, err: ClientError) -> RemotionError:
    """What Lambda's API error says of the start. https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""
    status = err.response["ResponseMetadata"]["HTTPStatusCode"]
    code = _code(err)
    if status == 429:
        return Throttled(NO_ROOM)
    if code == "ResourceNotFoundException":
        return FunctionMissing(
            f"There is no function {config.function_name} in {config.region}. {how_to_deploy(config)}"
        )
    if status in (401, 403):
        return AccessDenied(
            f"AWS does not let these credentials invoke {config.function_name} in {config.region} ({code})."
            f" Check them and the user's policy: {PERMISSIONS_PAGE}"
        )
    if status < 500:
        return Rejected(f"AWS Lambda rejected the request ({code}): {err.response['Error'].get('Message', '')}")
    return OutcomeUnknown(
        f"AWS Lambda failed ({code}), so it is not known whether the render started. It is not started again by itself."
    )


def _function_error(body: bytes) -> str:
    try:
        error = _parse(body)
        return str(error.get("errorMessage") or error.get("errorType"))
    except (ValueError, AttributeError):
        return "without a reason"


# Reading -----------------------------------------------------------------------------------------


@contextmanager
def _translated_read_errors(config: RemotionConfig) -> Iterator[None]:
    """Turns what boto3 raises for a call that changes nothing of a render into our errors."""
    try:
        yield
    except NO_CREDENTIALS as err:
        raise AccessDenied(f"AWS credentials were not found by boto3's own chain: {err}") from err
    except ClientError as err:
        code, status = _code(err), err.response["ResponseMetadata"]["HTTPStatusCode"]
        if status in (401, 403):
            raise AccessDenied(
                f"AWS does not let these credentials use Remotion's bucket in {config.region} ({code})."
                f" Check them and the user's policy: {PERMISSIONS_PAGE}"
            ) from err
        if status >= 500 or status == 429:
            raise Unavailable(f"S3 failed ({code}). Nothing is lost; try again later.") from err
        raise SetupError(f"S3 refused the request ({code}): {err.response['Error'].get('Message', '')}") from err
    except BROKEN_OFF as err:
        raise Unavailable(f"S3 cannot be reached ({type(err).__name__}). Nothing is lost; try again later.") from err


def _parse(body: bytes) -> Any:
    """JSON whose text any database can store: U+0000 and halves of surrogate pairs are replaced."""
    return _storable(json.loads(body))


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode(errors="replace").decode()
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    return value


def _code(err: ClientError) -> str:
    return str(err.response.get("Error", {}).get("Code", ""))
