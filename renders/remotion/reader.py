"""Fetching many progress.json files at once.

obstore does the requests in Rust, without Python's global lock, and takes its credentials from
boto3's session. https://developmentseed.org/obstore/latest/
"""

import logging
import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import obstore
from botocore.exceptions import BotoCoreError
from obstore.auth.boto3 import Boto3CredentialProvider
from obstore.exceptions import BaseError, NotModifiedError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from renders.remotion.aws import CONNECT_TIMEOUT_SECONDS, PERMISSIONS_PAGE, READ_TIMEOUT_SECONDS, session
from renders.remotion.errors import AccessDenied, RemotionError, SetupError, Unavailable, UnusableResponse
from renders.remotion.progress import progress_key
from renders.remotion.progress_file import ProgressFile, parse_progress
from renders.remotion.target import LambdaTarget

if TYPE_CHECKING:
    from obstore.store import ClientConfig

logger = logging.getLogger(__name__)

THREADS = 12
"""Threads: obstore releases the GIL; asyncio costs twice the CPU (measured)."""

TIME_LIMIT_SECONDS = 10
"""After it no further file of a slow bucket is requested."""

MAX_FAILURES_IN_A_ROW = 16
"""After so many the batch requests no further file of the bucket."""

MAX_FILE_BYTES = 8_000_000
"""A progress.json holds the input props (up to the 6 MB of an invocation) and Remotion's errors."""

TOO_LARGE = "S3 has a progress.json of {megabytes:,.1f} MB; at most 8 MB are read."

CREDENTIALS_TTL = timedelta(minutes=5)
STATUS = re.compile(r"status code: (\d{3})")
CODE = re.compile(r"<Code>(\w+)</Code>")


@dataclass(frozen=True)
class ProgressRequest:
    """A progress.json to fetch, unless its ETag still is ``etag``."""

    render_id: str
    etag: str = ""


@dataclass(frozen=True)
class Fetched:
    """The file was read."""

    file: ProgressFile
    etag: str


@dataclass(frozen=True)
class Unchanged:
    """The file has the ETag that was named (304)."""


@dataclass(frozen=True)
class Missing:
    """There is no such file (404), as just after the start."""


@dataclass(frozen=True)
class FetchFailed:
    """The file could not be read, so nothing is known."""

    error: RemotionError
    out_of_time: bool = False
    """It was not requested, because the time limit had passed: try again at once."""


FetchResult = Fetched | Unchanged | Missing | FetchFailed

BUCKET_FAILS = FetchFailed(Unavailable("S3 was not asked, because it fails for other renders of the bucket."))
OUT_OF_TIME = FetchFailed(Unavailable("S3 was not asked: there was no time left."), out_of_time=True)


def fetch_progress(target: LambdaTarget, *, bucket_name: str, render_id: str) -> Fetched | Missing:
    """Return one render's progress.json. Raise SetupError, one of its kinds, or Unavailable."""
    (result,) = fetch_many(target, bucket_name=bucket_name, requests=[ProgressRequest(render_id)])
    if isinstance(result, FetchFailed):
        raise result.error
    if isinstance(result, Unchanged):
        raise UnusableResponse("S3 answered 304 to a request that named no ETag.")
    return result


def fetch_many(
    target: LambdaTarget,
    *,
    bucket_name: str,
    requests: Sequence[ProgressRequest],
    is_stopped: Callable[[], bool] = lambda: False,
) -> list[FetchResult]:
    """Fetch progress.json files of one bucket, and return a result for each request, in order.

    Takes about ``TIME_LIMIT_SECONDS`` at most; what was not requested by then, or when ``is_stopped``
    returned True, is out of time. Raise SetupError if the settings do not allow any request.
    """
    target.require_credentials()
    return _Batch(_store(target, bucket_name), target, requests, is_stopped).fetch()


class _Batch:
    """Threads that share a list of requests and their results."""

    def __init__(
        self,
        store: S3Store,
        target: LambdaTarget,
        requests: Sequence[ProgressRequest],
        is_stopped: Callable[[], bool],
    ) -> None:
        self.store = store
        self.target = target
        self.requests = requests
        self.is_stopped = is_stopped
        self.results: list[FetchResult] = [OUT_OF_TIME] * len(requests)
        self.failures_in_a_row = 0
        self.ends_at = time.monotonic() + TIME_LIMIT_SECONDS

    def fetch(self) -> list[FetchResult]:
        numbered = iter(enumerate(self.requests))
        if len(self.requests) == 1:
            self._work(numbered)
            return self.results
        count = min(THREADS, len(self.requests))
        with ThreadPoolExecutor(count - 1) as threads:
            for _ in range(count - 1):
                threads.submit(self._work, numbered)
            self._work(numbered)
        return self.results

    def _work(self, numbered: Iterator[tuple[int, ProgressRequest]]) -> None:
        # next() on this iterator is one step under the GIL, so the threads need no lock.
        for number, request in numbered:
            if self.is_stopped() or time.monotonic() > self.ends_at:
                return
            if self.failures_in_a_row >= MAX_FAILURES_IN_A_ROW:
                self.results[number] = BUCKET_FAILS
                continue
            self.results[number] = self._result(request)

    def _result(self, request: ProgressRequest) -> FetchResult:
        try:
            result = self._get(request)
            self.failures_in_a_row = 0
        except RemotionError as err:
            self.failures_in_a_row += not isinstance(err, UnusableResponse)
            return FetchFailed(err)
        except Exception as err:
            logger.exception("The progress.json of %s cannot be read.", request.render_id)
            return FetchFailed(UnusableResponse(f"The progress.json cannot be read ({type(err).__name__})."))
        return result

    def _get(self, request: ProgressRequest) -> FetchResult:
        options: Any = {"if_none_match": request.etag} if request.etag else None
        try:
            response = obstore.get(self.store, progress_key(request.render_id), options=options)
            if response.meta["size"] > MAX_FILE_BYTES:
                raise UnusableResponse(TOO_LARGE.format(megabytes=response.meta["size"] / 1_000_000))
            body = bytes(response.buffer())
        except NotModifiedError:
            return Unchanged()
        except FileNotFoundError:
            return Missing()
        except (BaseError, ValueError) as err:
            raise _translated(self.target, err) from err
        return Fetched(parse_progress(body), response.meta["e_tag"] or "")


@lru_cache(maxsize=32)
def _store(target: LambdaTarget, bucket_name: str) -> S3Store:
    endpoint: Any = {"endpoint": target.s3_endpoint_url} if target.s3_endpoint_url else {}
    try:
        credentials = Boto3CredentialProvider(session(target), ttl=CREDENTIALS_TTL)
        return S3Store(
            bucket_name,
            region=target.region,
            **endpoint,
            virtual_hosted_style_request=not endpoint,
            client_options={
                **_certificates(target),
                "allow_http": target.s3_endpoint_url.startswith("http:"),
                "connect_timeout": timedelta(seconds=CONNECT_TIMEOUT_SECONDS),
                "timeout": timedelta(seconds=READ_TIMEOUT_SECONDS),
            },
            # One retry where S3 fails at once; a request that timed out is not repeated.
            retry_config={"max_retries": 1, "retry_timeout": timedelta(seconds=1)},
            credential_provider=credentials,
        )
    except (BaseError, ValueError, BotoCoreError) as err:
        raise SetupError(f"S3's client does not accept the settings for AWS: {err}") from err


def _certificates(target: LambdaTarget) -> "ClientConfig":
    """Return the certificate authorities that boto3 trusts (``AWS_CA_BUNDLE``), for obstore too."""
    bundle = session(target)._session.get_config_variable("ca_bundle")
    try:
        return {"root_certificate": Path(bundle).read_bytes()} if bundle else {}
    except OSError as err:
        raise SetupError(f"AWS_CA_BUNDLE names a file that cannot be read: {err}") from err


def _translated(target: LambdaTarget, err: Exception) -> RemotionError:
    """Return our error for obstore's, without the text of S3's answer: it may name the access key."""
    text = str(err)
    status = found[1] if (found := STATUS.search(text)) else ""
    code = found[1] if (found := CODE.search(text)) else status
    if isinstance(err, PermissionDeniedError | UnauthenticatedError):
        if not status:
            return AccessDenied("boto3's credential chain found no AWS credentials.")
        return AccessDenied(
            f"AWS does not let these credentials use Remotion's bucket in {target.region} ({code})."
            f" Check them and the user's policy: {PERMISSIONS_PAGE}"
        )
    if status.startswith("4") and status != "429":
        return SetupError(f"S3 refused the request ({code}).")
    if status:
        return Unavailable(f"S3 failed ({code}). Nothing is lost; try again later.")
    if "configured region" in text:
        return SetupError(f"The bucket is not in {target.region}: set REMOTION_REGION.")
    return Unavailable("S3 cannot be reached, or did not answer in time. Nothing is lost; try again later.")
