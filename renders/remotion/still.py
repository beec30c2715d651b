"""Rendering a still: one call, which is paid for and answers when the picture is there.

The function answers in the messages of its stream, because only there do all versions say why a still
has failed. https://www.remotion.dev/docs/lambda/renderstillonlambda
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from remotion_lambda import RenderStillParams

from renders.remotion.errors import OutcomeUnknown, RemotionError, StillFailed, Throttled, VersionMismatch
from renders.remotion.info import ask_version
from renders.remotion.invoke import Unanswered, invoke, refusal
from renders.remotion.json import parse_json
from renders.remotion.payload import build_payload
from renders.remotion.progress import MAX_ARTIFACTS, as_stored, error_sentence
from renders.remotion.progress_file import Artifact, FileError
from renders.remotion.target import LambdaTarget

NOT_REPEATED = "so it is not known whether the still was rendered. It is not rendered again by itself."
# makeStreamPayloadMessage of @remotion/streaming: the kind of a message, the length of its body, a status.
HEADER = re.compile(rb"remotion_buffer:(\d+):(\d+):\d+:")
ERROR_OCCURRED, RENDER_ID_DETERMINED, STILL_RENDERED = b"2", b"3", b"6"


@dataclass(frozen=True)
class FinishedStill:
    """A still that exists, under Remotion's names. Size in bytes."""

    render_id: str
    bucket_name: str
    output_bucket: str
    output_key: str
    output_size: int
    cost: float
    currency: str
    artifacts: list[dict[str, Any]]
    """As ``RenderProgress.artifacts``."""


def prepare(
    target: LambdaTarget,
    *,
    serve_url: str,
    composition: str,
    input_props: dict[str, Any],
    options: Mapping[str, Any],
    frame: int,
    out_name: str,
    props_name: str,
) -> str:
    """Return the JSON payload of a still; upload input props that are too large for it.

    ``options`` are the still's, validated; a negative ``frame`` counts from the end. ``out_name`` is the
    output's file name. Raise as ``build_payload`` does.
    """
    params = RenderStillParams(
        composition=composition,
        input_props=input_props,
        frame=frame,
        force_bucket_name=target.bucket_name or None,
        out_name=out_name,
        streamed=True,
    )
    return build_payload(target, params, serve_url=serve_url, props_name=props_name, options=options)


def render_still(target: LambdaTarget, payload: str) -> FinishedStill:
    """Ask the function once to render a still, and wait for it: ``target.answer_time_limit`` at most.

    Raise SetupError and its kinds, Rejected, Throttled or Unavailable if nothing was rendered,
    StillFailed if the function says why it failed, and OutcomeUnknown if it is not known whether the
    still exists.
    """
    try:
        body = invoke(target, payload, time_limit=target.answer_time_limit)
        messages = dict(_messages(body))
        if STILL_RENDERED in messages:
            return _finished(messages[STILL_RENDERED])
        error = msgspec.convert(messages[ERROR_OCCURRED]["errorInfo"], FileError)
        render_id = str(messages[RENDER_ID_DETERMINED]["renderId"])
    except Unanswered as err:
        raise OutcomeUnknown(f"{err}, {NOT_REPEATED}") from err
    except (ValueError, TypeError, KeyError) as err:
        raise OutcomeUnknown(
            f"The function {target.function_name} sent an answer that is not one of Remotion's, {NOT_REPEATED}"
        ) from err
    raise _failure(target, payload, error, render_id)


def _messages(body: bytes) -> Iterator[tuple[bytes, Any]]:
    """Yield the kind and the JSON of each message. Raise ValueError if something else is between them."""
    position = 0
    while position < len(body):
        header = HEADER.match(body, position)
        if header is None:
            raise ValueError("it is not a message")
        position = header.end() + int(header[2])
        yield header[1], parse_json(body[header.end() : position], replace=True)


def _finished(reply: dict[str, Any]) -> FinishedStill:
    artifacts = msgspec.convert(reply.get("receivedArtifacts") or [], list[Artifact])
    return FinishedStill(
        render_id=str(reply["renderId"]),
        bucket_name=str(reply["bucketName"]),
        output_bucket=str(reply["bucketName"]),
        output_key=str(reply["outKey"]),
        output_size=int(reply["sizeInBytes"]),
        cost=float(reply["estimatedPrice"]["accruedSoFar"]),
        currency=str(reply["estimatedPrice"]["currency"]),
        artifacts=[msgspec.to_builtins(artifact) for artifact in artifacts[:MAX_ARTIFACTS]],
    )


def _failure(target: LambdaTarget, payload: str, error: FileError, render_id: str) -> RemotionError:
    refused = refusal(target, str(error.message))
    # What a component throws may read like one of these: then its still has failed, and is not rendered again.
    is_doubtful = isinstance(refused, Throttled | VersionMismatch)
    if refused and (not is_doubtful or _has_other_version(target, json.loads(payload)["version"])):
        return refused
    error.is_fatal, error.will_retry = True, False
    return StillFailed(error_sentence(error), render_id=render_id, errors=[as_stored(error)])


def _has_other_version(target: LambdaTarget, version: str) -> bool:
    try:
        return ask_version(target) != version
    except RemotionError:
        return False
