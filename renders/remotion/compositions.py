"""What a site can render: its compositions, as the function lists them.

https://www.remotion.dev/docs/lambda/getcompositionsonlambda
"""

import json
from typing import Any

import msgspec

from renders.remotion.errors import RemotionError, SiteUnusable, Unavailable, VersionMismatch
from renders.remotion.info import forget_version, function_version
from renders.remotion.invoke import BrokeOff, Unanswered, invoke, plain, refusal
from renders.remotion.json import parse_json
from renders.remotion.target import LambdaTarget

TIMEOUT_IN_MS = 30_000
"""For a site to open, and for each ``delayRender()`` in it: Remotion's default."""

MAX_MESSAGE_LENGTH = 1000
NO_SITE = "verify that it is a Remotion project"


class Composition(msgspec.Struct, rename="camel", frozen=True):
    """A composition as it is with the input props that it was listed with."""

    id: str
    width: int
    """Pixels."""
    height: int
    fps: float
    duration_in_frames: int
    default_props: dict[str, Any] = {}
    props: dict[str, Any] = {}
    """The default props, overridden by the input props and by ``calculateMetadata``."""
    default_codec: str | None = None
    default_out_name: str | None = None


def list_compositions(target: LambdaTarget, *, serve_url: str, input_props: dict[str, Any]) -> list[Composition]:
    """Return the compositions of a site. The function opens it in its browser: about a second, paid.

    Raise SiteUnusable if the site does not exist or fails, other kinds of SetupError, Rejected,
    Throttled or Unavailable.
    """
    target.require_credentials()
    payload = _payload(target, serve_url=serve_url, input_props=input_props)
    try:
        answer = parse_json(invoke(target, payload, time_limit=target.answer_time_limit), replace=True)
        if answer["type"] == "success":
            return msgspec.convert(answer["compositions"], list[Composition])
        message = str(answer["message"])
    except BrokeOff as err:
        message = err.message  # functions of older versions, such as 4.0.499, say it so
    except Unanswered as err:
        raise Unavailable(f"{err}, so the compositions of {serve_url} are not known. Try again later.") from err
    except (ValueError, TypeError, KeyError) as err:
        raise Unavailable(f"The function {target.function_name} sent a list that cannot be understood: {err}.") from err
    raise _failure(target, serve_url, message)


def _payload(target: LambdaTarget, *, serve_url: str, input_props: dict[str, Any]) -> str:
    return json.dumps(
        {
            "type": "compositions",
            "version": function_version(target),
            "serveUrl": serve_url,
            "inputProps": {"type": "payload", "payload": json.dumps(input_props)},
            "bucketName": target.bucket_name or None,
            "timeoutInMilliseconds": TIMEOUT_IN_MS,
            "chromiumOptions": {},
            "envVariables": {},
            "logLevel": "info",
            "forcePathStyle": False,
            "offthreadVideoCacheSizeInBytes": None,
            "offthreadVideoThreads": None,
            "mediaCacheSizeInBytes": None,
        }
    )


def _failure(target: LambdaTarget, serve_url: str, message: str) -> RemotionError:
    refused = refusal(target, message)
    if isinstance(refused, VersionMismatch):
        forget_version(target)
    if refused:
        return refused
    said = plain(message)[:MAX_MESSAGE_LENGTH]
    if NO_SITE in said:
        return SiteUnusable(
            f"There is no Remotion site at {serve_url}. Check its name or URL, and that its files can be read"
            " by everybody: `npx remotion lambda sites create` deploys a site so."
        )
    if said.startswith("net::"):
        return SiteUnusable(f"The function cannot open the site {serve_url}: {said.partition(' ')[0]}.")
    return SiteUnusable(f"The site {serve_url} failed while its compositions were listed: {said}")
