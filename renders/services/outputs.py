"""Links to what was rendered."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from renders.models import Render
from renders.remotion import storage
from renders.remotion.errors import RemotionError
from renders.remotion.target import LambdaTarget
from renders.services.errors import Conflict, FilesExpired


def sign_output(render: Render, *, file_name: str = "") -> str | None:
    """Return a URL that shows the output for one hour; None if there is none yet, or no more.

    With a ``file_name`` it is downloaded under that. Raise SetupError if the settings lack what a signature needs.
    """
    if render.status != Render.Status.SUCCEEDED or render.is_expired:
        return None
    target = LambdaTarget.in_region(render.region)
    place = {"bucket_name": render.output_bucket, "key": render.output_key}
    return storage.sign_output_url(target, **place, file_name=file_name)


@dataclass(frozen=True)
class OutputLink:
    """A URL that shows an output to whoever has it, until ``expires_at``."""

    url: str
    expires_at: datetime


def link_to_output(render: Render, *, file_name: str = "") -> OutputLink:
    """Return a link to the output of a render that has succeeded; with a ``file_name``, it is downloaded under that.

    Raise Conflict if it has not, FilesExpired if the output is deleted by now; SetupError if the settings lack what a
    signature needs.
    """
    if render.status != Render.Status.SUCCEEDED:
        raise Conflict(f"The render is {render.status}, so there is nothing to download{_until(render)}.")
    expires_at = timezone.now() + timedelta(seconds=storage.SIGNED_URL_SECONDS)
    url = sign_output(render, file_name=file_name)
    if url is None:
        raise FilesExpired("The files of this render have been deleted: their time has passed.")
    return OutputLink(url, expires_at)


def _until(render: Render) -> str:
    return "" if render.is_terminal else " yet"


def sign_artifacts(render: Render) -> list[dict[str, Any]]:
    """Return name, size in bytes and URL of each file that the composition emitted; the URL works for one hour.

    It is None once the files have expired, or if the settings lack what a signature needs.
    """
    return [
        {"name": artifact["filename"], "size": artifact["sizeInBytes"], "url": _sign_artifact(render, artifact)}
        for artifact in render.artifacts
    ]


def _sign_artifact(render: Render, artifact: dict[str, Any]) -> str | None:
    if render.is_expired:
        return None
    with suppress(RemotionError):
        return storage.sign_output_url(
            LambdaTarget.in_region(render.region),
            bucket_name=render.output_bucket or render.bucket_name,
            key=artifact["s3Key"],
            file_name=artifact["filename"].rpartition("/")[2],
        )
    return None
