"""Reading many ``progress.json`` at once.

obstore does the requests in Rust, so that the interpreter's lock does not bound them, and takes
its credentials from boto3's session. https://developmentseed.org/obstore/latest/
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

from renders.remotion.aws import CONNECT_TIMEOUT_SECONDS, PERMISSIONS_PAGE, READ_TIMEOUT_SECONDS, parse_json, session
from renders.remotion.config import RemotionConfig
from renders.remotion.errors import AccessDenied, NoNews, RemotionError, SetupError, Unavailable
from renders.remotion.progress import progress_key

if TYPE_CHECKING:
    from obstore.store import ClientConfig

logger = logging.getLogger(__name__)

AT_A_TIME = 12
"""Threads. They cost less than half of what asyncio does here, because they need the lock less often."""

LONGEST_SECONDS = 10
"""What has not been asked for by then, of a slow bucket, is left for later."""

FAILURES_IN_A_ROW = 16
"""A bucket that has failed so often in a row is asked no more in this reading."""

CREDENTIALS_LAST = timedelta(minutes=5)
STATUS = re.compile(r"status code: (\d{3})")
CODE = re.compile(r"<Code>(\w+)</Code>")


@dataclass(frozen=True)
class Wanted:
    """A render whose ``progress.json`` is to be read, unless its ETag is still this one."""

    render_id: str
    etag: str = ""


@dataclass(frozen=True)
class Reading:
    """What S3 has of a render; without ``progress_json`` there is no file, as just after the start."""

    progress_json: dict[str, Any] | None = None
    etag: str = ""


UNCHANGED = Reading()
"""The file is the one whose ETag was told."""


def read_progress(config: RemotionConfig, *, bucket_name: str, render_id: str) -> Reading:
    """One render's ``progress.json``. Raises SetupError and its kinds, or Unavailable."""
    (result,) = read_many(config, bucket_name=bucket_name, wanted=[Wanted(render_id)])
    if isinstance(result, RemotionError):
        raise result
    return result


def read_many(
    config: RemotionConfig,
    *,
    bucket_name: str,
    wanted: Sequence[Wanted],
    is_stopped: Callable[[], bool] = lambda: False,
) -> list[Reading | RemotionError]:
    """Reads each of ``wanted`` from one bucket; what was found, or what kept it from being read.

    Where the bucket does not answer at all, the rest is NOT_ASKED for; where it is slow, or
    ``is_stopped`` says so, the rest is NOT_YET. Takes about ``LONGEST_SECONDS`` at most.
    Raises SetupError where nothing can be asked.
    """
    config.require_credentials()
    return _Batch(_store(config, bucket_name), config, wanted, is_stopped).read()


class _Batch:
    """Readers that share a list of what is wanted, and what they found."""

    def __init__(
        self, store: S3Store, config: RemotionConfig, wanted: Sequence[Wanted], is_stopped: Callable[[], bool]
    ) -> None:
        self.store = store
        self.config = config
        self.wanted = wanted
        self.is_stopped = is_stopped
        self.results: list[Reading | RemotionError] = [NOT_YET] * len(wanted)
        self.failures_in_a_row = 0
        self.ends_at = time.monotonic() + LONGEST_SECONDS

    def read(self) -> list[Reading | RemotionError]:
        numbered = iter(enumerate(self.wanted))
        if len(self.wanted) == 1:
            self._work(numbered)
            return self.results
        count = min(AT_A_TIME, len(self.wanted))
        with ThreadPoolExecutor(count - 1) as readers:
            for _ in range(count - 1):
                readers.submit(self._work, numbered)
            self._work(numbered)
        return self.results

    def _work(self, numbered: Iterator[tuple[int, Wanted]]) -> None:
        # Taking the next one of a list is a single step, so that the threads need no lock of ours.
        for number, wanted in numbered:
            if self.is_stopped() or time.monotonic() > self.ends_at:
                return
            if self.failures_in_a_row >= FAILURES_IN_A_ROW:
                self.results[number] = NOT_ASKED
                continue
            try:
                self.results[number] = self._read(wanted)
                self.failures_in_a_row = 0
            except RemotionError as err:
                self.results[number] = err
                self.failures_in_a_row += not isinstance(err, NoNews)
            except Exception as err:
                logger.exception("The progress.json of %s cannot be read.", wanted.render_id)
                self.results[number] = NoNews(f"The progress.json cannot be read ({type(err).__name__}).")

    def _read(self, wanted: Wanted) -> Reading:
        options: Any = {"if_none_match": wanted.etag} if wanted.etag else None
        try:
            response = obstore.get(self.store, progress_key(wanted.render_id), options=options)
            body = bytes(response.buffer())
        except NotModifiedError:
            return UNCHANGED
        except FileNotFoundError:
            return Reading()
        except (BaseError, ValueError) as err:
            raise _translated(self.config, err) from err
        return Reading(_parse(body), response.meta["e_tag"] or "")


NOT_ASKED = Unavailable("S3 was not asked, because it does not answer for other renders of the bucket.")
NOT_YET = Unavailable("S3 was not asked: there was no time left.")


@lru_cache(maxsize=32)
def _store(config: RemotionConfig, bucket_name: str) -> S3Store:
    endpoint: Any = {"endpoint": config.s3_endpoint_url} if config.s3_endpoint_url else {}
    try:
        credentials = Boto3CredentialProvider(session(config), ttl=CREDENTIALS_LAST)
        return S3Store(
            bucket_name,
            region=config.region,
            **endpoint,
            virtual_hosted_style_request=not endpoint,
            client_options={
                **_certificates(config),
                "allow_http": config.s3_endpoint_url.startswith("http:"),
                "connect_timeout": timedelta(seconds=CONNECT_TIMEOUT_SECONDS),
                "timeout": timedelta(seconds=READ_TIMEOUT_SECONDS),
            },
            # Once again where S3 says at once that it failed; a time limit that has passed is enough.
            retry_config={"max_retries": 1, "retry_timeout": timedelta(seconds=1)},
            credential_provider=credentials,
        )
    except (BaseError, ValueError, BotoCoreError) as err:
        raise SetupError(f"The settings for AWS do not make sense to S3's client: {err}") from err


def _certificates(config: RemotionConfig) -> "ClientConfig":
    """The authorities that boto3 was told to trust (``AWS_CA_BUNDLE``), for obstore too."""
    bundle = session(config)._session.get_config_variable("ca_bundle")
    try:
        return {"root_certificate": Path(bundle).read_bytes()} if bundle else {}
    except OSError as err:
        raise SetupError(f"AWS_CA_BUNDLE names a file that cannot be read: {err}") from err


def _parse(body: bytes) -> dict[str, Any]:
    try:
        progress_json = parse_json(body)
    except (ValueError, RecursionError) as err:
        raise NoNews("S3 answered with a progress.json that is torn. It will be read again.") from err
    if not isinstance(progress_json, dict):
        raise NoNews("S3 answered with something that is not a progress.json. It will be read again.")
    return progress_json


def _translated(config: RemotionConfig, err: Exception) -> RemotionError:
    """Our error for obstore's, without the text of S3's answer: it may name the access key."""
    text = str(err)
    status = found[1] if (found := STATUS.search(text)) else ""
    code = found[1] if (found := CODE.search(text)) else status
    if isinstance(err, PermissionDeniedError | UnauthenticatedError):
        if not status:
            return AccessDenied("AWS credentials were not found by boto3's own chain.")
        return AccessDenied(
            f"AWS does not let these credentials use Remotion's bucket in {config.region} ({code})."
            f" Check them and the user's policy: {PERMISSIONS_PAGE}"
        )
    if status.startswith("4") and status != "429":
        return SetupError(f"S3 refused the request ({code}).")
    if status:
        return Unavailable(f"S3 failed ({code}). Nothing is lost; try again later.")
    if "configured region" in text:
        return SetupError(f"The bucket is not in {config.region}: set REMOTION_REGION.")
    return Unavailable("S3 cannot be reached, or did not answer in time. Nothing is lost; try again later.")
