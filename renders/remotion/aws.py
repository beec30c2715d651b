"""boto3's sessions and clients, shared, and what its errors mean to us.

https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

import json
import math
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

from renders.remotion.config import RemotionConfig
from renders.remotion.errors import AccessDenied, SetupError, Unavailable

CONNECT_TIMEOUT_SECONDS = 3
READ_TIMEOUT_SECONDS = 5
BROKEN_OFF = (BotoCoreError, HTTPError, OSError)
NO_CREDENTIALS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    TokenRetrievalError,
    SSOError,
)
PERMISSIONS_PAGE = "https://www.remotion.dev/docs/lambda/permissions"


@lru_cache(maxsize=32)
def session(config: RemotionConfig) -> Any:
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
def s3_client(config: RemotionConfig) -> Any:
    options = Config(
        signature_version="s3v4",
        # Without it, signed URLs name S3's global host, which newer regions refuse.
        s3={"addressing_style": "virtual"},
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=READ_TIMEOUT_SECONDS,
        retries={"total_max_attempts": 2, "mode": "standard"},
        max_pool_connections=32,
    )
    return _make_client("s3", config, endpoint_url=config.s3_endpoint_url, options=options)


@lru_cache(maxsize=32)
def lambda_client(config: RemotionConfig) -> Any:
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
        return session(config).client(service, endpoint_url=endpoint_url or None, config=options)
    except (ValueError, BotoCoreError) as err:
        raise SetupError(f"The settings for AWS do not make sense to boto3: {err}") from err


@contextmanager
def translated_errors(config: RemotionConfig) -> Iterator[None]:
    """Turns what boto3 raises for a call that changes nothing of a render into our errors."""
    try:
        yield
    except NO_CREDENTIALS as err:
        raise AccessDenied(f"AWS credentials were not found by boto3's own chain: {err}") from err
    except ClientError as err:
        code, status = error_code(err), err.response["ResponseMetadata"]["HTTPStatusCode"]
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


def parse_json(body: bytes) -> Any:
    """JSON that any database can store; raises ValueError for what is none.

    U+0000 and halves of surrogate pairs are replaced; NaN and Infinity are no JSON.
    """
    value = DECODER.decode(body.decode())
    return _storable(value) if b"\\u" in body else value  # only an escape can name them


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number that a database can store")
    return number


DECODER = json.JSONDecoder(parse_constant=_finite, parse_float=_finite)


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode(errors="replace").decode()
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    return value


def error_code(err: ClientError) -> str:
    return str(err.response.get("Error", {}).get("Code", ""))
