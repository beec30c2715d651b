"""boto3's clients, shared by equal targets, and what its errors mean.

https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)
from urllib3.exceptions import HTTPError

from renders.remotion.connections import use_fresh_connections
from renders.remotion.errors import AccessDenied, BucketMissing, SetupError, Unavailable
from renders.remotion.target import LambdaTarget

CONNECT_TIMEOUT_SECONDS = 3
READ_TIMEOUT_SECONDS = 5
CONNECTION_FAILED = (BotoCoreError, HTTPError, OSError)
NO_CREDENTIALS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    TokenRetrievalError,
    SSOError,
)
PERMISSIONS_PAGE = "https://www.remotion.dev/docs/lambda/permissions"


@lru_cache(maxsize=32)
def session(target: LambdaTarget) -> Any:
    """Return boto3's session with the target's credentials, or with its default ones."""
    keys: dict[str, str | None] = {}
    if not target.use_default_credentials:
        keys = {
            "aws_access_key_id": target.access_key_id,
            "aws_secret_access_key": target.secret_access_key,
            "aws_session_token": target.session_token or None,
        }
    try:
        return boto3.Session(region_name=target.region, **keys)
    except BotoCoreError as err:
        raise SetupError(f"boto3 does not accept the settings for AWS: {err}") from err


@lru_cache(maxsize=32)
def s3_client(target: LambdaTarget) -> Any:
    """Return boto3's S3 client; a request takes at most 16 s, its one retry included."""
    options = Config(
        signature_version="s3v4",
        # Without it, signed URLs name S3's global host, which newer regions refuse.
        s3={"addressing_style": "virtual"},
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=READ_TIMEOUT_SECONDS,
        retries={"total_max_attempts": 2, "mode": "standard"},
        max_pool_connections=32,
    )
    return _make_client("s3", target, endpoint_url=target.s3_endpoint_url, options=options)


@lru_cache(maxsize=32)
def lambda_client(target: LambdaTarget, *, time_limit: int) -> Any:
    """Return boto3's Lambda client, which never repeats a call: a repeated start is a second render.

    It waits ``time_limit`` seconds for an answer.
    """
    options = Config(
        connect_timeout=5,
        read_timeout=time_limit,
        retries={"total_max_attempts": 1, "mode": "standard"},
        max_pool_connections=32,
    )
    client = _make_client("lambda", target, endpoint_url=target.lambda_endpoint_url, options=options)
    use_fresh_connections(client)
    return client


def _make_client(service: str, target: LambdaTarget, *, endpoint_url: str, options: Config) -> Any:
    try:
        return session(target).client(service, endpoint_url=endpoint_url or None, config=options)
    except (ValueError, BotoCoreError) as err:
        raise SetupError(f"boto3 does not accept the settings for AWS: {err}") from err


@contextmanager
def translated_errors(target: LambdaTarget) -> Iterator[None]:
    """Turn what boto3 raises for a call to S3 into our errors."""
    try:
        yield
    except NO_CREDENTIALS as err:
        raise AccessDenied(f"boto3's credential chain found no AWS credentials: {err}") from err
    except ClientError as err:
        code, status = error_code(err), err.response["ResponseMetadata"]["HTTPStatusCode"]
        if status in (401, 403):
            raise AccessDenied(
                f"AWS does not let these credentials use Remotion's bucket in {target.region} ({code})."
                f" Check them and the user's policy: {PERMISSIONS_PAGE}"
            ) from err
        if code == "NoSuchBucket":
            raise BucketMissing(f"There is no such bucket in {target.region}: check REMOTION_BUCKET_NAME.") from err
        if status >= 500 or status == 429:
            raise Unavailable(f"S3 failed ({code}). Nothing is lost; try again later.") from err
        raise SetupError(f"S3 refused the request ({code}): {err.response['Error'].get('Message', '')}") from err
    except CONNECTION_FAILED as err:
        raise Unavailable(f"S3 cannot be reached ({type(err).__name__}). Nothing is lost; try again later.") from err


def error_code(err: ClientError) -> str:
    """Return AWS's code of an error, for example ``NoSuchKey``; empty if it names none."""
    return str(err.response.get("Error", {}).get("Code", ""))
