"""What a progress.json means. Pure: no clock, no network, no database.

Follows ``getProgress`` of @remotion/serverless-client 4.0.527, whose answers are recorded in
tests/recordings/. Adds a deadline, because Remotion reports no timeout for a render whose main
function died before it wrote ``renderMetadata``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from renders.remotion.codecs import WITH_PICTURE
from renders.remotion.option import STILL
from renders.remotion.pricing import currency, estimate_cost
from renders.remotion.progress_file import FileError, OutputObject, PostRenderData, ProgressFile, RenderMetadata, Retry

GRACE_IN_MS = 20_000
"""How far clocks may differ before Remotion calls a render timed out."""

WITH_EVEN_SIZE = ("h264", "h265", "gif")
"""A GIF is made of chunks in h264."""

OVERHEAD_PER_LAMBDA_IN_MS = 100

MAX_MESSAGE_LENGTH = 2000
"""Characters. Whatever ``code`` throws becomes a message, however long."""

MAX_STACK_LENGTH = 4000
MAX_ARTIFACTS = 200
MAX_ERRORS = 50
"""Errors that are kept: a render of 200 functions can report each of them."""

TOO_MANY_FUNCTIONS = "AWS's limit of concurrent functions was reached: raise it, or render fewer videos at once."
EXPLANATIONS = (
    # (any of these in an error's stack, what it means)
    (
        ("FATAL:zygote_communication_linux.cc", "error while loading shared libraries: libnss3.so"),
        "The browser did not launch; Remotion tries again.",
    ),
    (
        (
            "TooManyRequestsException",
            "ConcurrentInvocationLimitExceeded",
            "AWS Concurrency limit reached",
            "Original Error: Rate Exceeded",
        ),
        TOO_MANY_FUNCTIONS,
    ),
    (("ENOSPC", "no space left on device"), "The function's disk is full: deploy one with a larger disk."),
    (("net::ERR_INSUFFICIENT_RESOURCES",), "The function ran out of memory: deploy one with more memory."),
    (("Target closed.", "Session closed"), "The browser crashed: deploy a function with more memory."),
)


@dataclass(frozen=True)
class RenderProgress:
    """What a progress.json says. Times are in milliseconds, sizes in bytes."""

    overall_progress: float
    """0 to 1 by Remotion's weights; it can fall from one read to the next."""
    frames_rendered: int
    chunks: int
    lambdas_invoked: int
    done: bool
    deadline_in_ms: float | None
    """Since 1970, on the function's clock: after it nothing more is written. None if it is done."""
    is_past_deadline: bool
    """The output may exist all the same: look for it."""
    errors: list[dict[str, Any]]
    """Remotion's errors with an explanation; of a finished render, its warnings."""
    artifacts: list[dict[str, Any]]
    """``filename``, ``sizeInBytes``, ``s3Key`` of each further file, in the bucket of the output."""
    first_chunk_in_ms: float | None
    """When the first chunk was rendered, in milliseconds since 1970; None if none is yet."""
    duration_in_frames: int | None
    """Frames of the output, after frameRange and everyNthFrame; None until it is known, and for a still."""
    width: int | None
    """Pixels of the output; None until it is known."""
    height: int | None
    out_bucket: str | None
    out_key: str | None
    output_size: int | None
    time_to_finish: float | None
    cost: float | None
    currency: str
    billing_duration: float | None

    fatal_error: FileError | None
    """The first error that ended the render."""
    was_cancelled: bool
    """Remotion cancelled the render; only the text of its errors says so."""

    @property
    def error_message(self) -> str:
        """One sentence about the error that ended the render; empty if none did."""
        return error_sentence(self.fatal_error) if self.fatal_error else ""


def output_key(*, render_id: str, out_name: str) -> str:
    """Return the key of the output that was named ``out_name`` at the start."""
    return f"renders/{render_id}/{out_name}"


def progress_key(render_id: str) -> str:
    """Return the key of the render's progress.json."""
    return f"renders/{render_id}/progress.json"


def explain(error: FileError) -> str | None:
    """Return what to do about an error that Remotion users often meet, else None."""
    stack = _text(error.stack).lower()
    return next((text for tokens, text in EXPLANATIONS if any(token.lower() in stack for token in tokens)), None)


def error_sentence(error: FileError) -> str:
    """Return what an error says in one sentence, with an explanation if there is one."""
    said = _text(error.message or error.name).split("\n    at ")[0].strip()
    message = said[:MAX_MESSAGE_LENGTH] or "Remotion failed without a message."
    explanation = explain(error)
    return f"{message} ({explanation})" if explanation else message


def as_stored(error: FileError) -> dict[str, Any]:
    """Return an error under Remotion's names, with its texts cut and an explanation."""
    return {**_as_dict(error), "explanation": explain(error)}


def interpret(file: ProgressFile, *, bucket_name: str, now_in_ms: float, function_timeout: int) -> RenderProgress:
    """Interpret a progress.json that was read from ``bucket_name``.

    ``now_in_ms`` is the time of the read on AWS's clock, in milliseconds since 1970;
    ``function_timeout`` the function's time limit in seconds. Raise ValueError if the file
    contradicts itself.
    """
    metadata = file.render_metadata
    if file.post_render_data is not None:
        if metadata is None:
            raise ValueError("it has a result and no metadata")
        return _finished(file, file.post_render_data, metadata, bucket_name=bucket_name)
    fatal = [error for error in file.errors if error.ends_render]
    deadline_in_ms = _deadline_in_ms(file, function_timeout)
    billing_duration = _billing_duration(file, metadata, now_in_ms) if metadata else None
    return RenderProgress(
        overall_progress=_overall_progress(file),
        frames_rendered=file.frames_rendered,
        chunks=len(file.chunks),
        lambdas_invoked=file.lambdas_invoked,
        done=False,
        deadline_in_ms=deadline_in_ms,
        is_past_deadline=now_in_ms > deadline_in_ms,
        errors=_with_retries([as_stored(error) for error in file.errors[:MAX_ERRORS]], file.retries),
        **_output_facts(file),
        out_bucket=None,
        out_key=None,
        output_size=None,
        time_to_finish=None,
        cost=_cost(metadata, billing_duration, file.lambdas_invoked)
        if metadata and billing_duration is not None
        else 0,
        currency=currency(metadata.region) if metadata else "USD",
        billing_duration=billing_duration,
        fatal_error=fatal[0] if fatal else None,
        was_cancelled=any("got cancelled" in _text(error.message) for error in fatal),
    )


def _finished(
    file: ProgressFile, result: PostRenderData, metadata: RenderMetadata, *, bucket_name: str
) -> RenderProgress:
    output = _output(metadata, bucket_name)
    return RenderProgress(
        overall_progress=1,
        frames_rendered=_frame_count(metadata),
        chunks=metadata.total_chunks,
        lambdas_invoked=metadata.total_chunks,
        done=True,
        deadline_in_ms=None,
        is_past_deadline=False,
        errors=_with_retries([_as_dict(error) for error in result.errors[:MAX_ERRORS]], file.retries),
        **_output_facts(file),
        out_bucket=output.bucket_name,
        out_key=output.key,
        output_size=result.output_size,
        time_to_finish=result.time_to_finish,
        cost=result.cost.estimated_cost,
        currency=result.cost.currency,
        billing_duration=result.estimated_billing_duration_in_milliseconds,
        fatal_error=None,
        was_cancelled=False,
    )


def _output(metadata: RenderMetadata, bucket_name: str) -> OutputObject:
    if isinstance(metadata.out_name, OutputObject):
        return metadata.out_name
    return OutputObject(bucket_name, output_key(render_id=metadata.render_id, out_name=metadata.out_name or "out.mp4"))


def _output_facts(file: ProgressFile) -> dict[str, Any]:
    metadata = file.render_metadata
    width, height = _size(metadata) if metadata else (None, None)
    return {
        "first_chunk_in_ms": min((timing.rendered for timing in file.timings), default=None),
        "artifacts": [msgspec.to_builtins(artifact) for artifact in file.received_artifact[:MAX_ARTIFACTS]],
        "duration_in_frames": _frame_count(metadata) if metadata and metadata.type != STILL else None,
        "width": width,
        "height": height,
    }


def _size(metadata: RenderMetadata) -> tuple[int, int] | tuple[None, None]:
    """Return width and height of the output: none for audio, and even numbers for codecs that take no others."""
    if metadata.dimensions is None or (metadata.type != STILL and metadata.codec not in WITH_PICTURE):
        return None, None
    step = 2 if metadata.codec in WITH_EVEN_SIZE else 1
    width, height = (
        _side(side, scale=metadata.scale, step=step) for side in (metadata.dimensions.width, metadata.dimensions.height)
    )
    return width, height


def _side(scaled: float, *, scale: float, step: int) -> int:
    """Return a side as Remotion rounds it: of the largest composition that gives a multiple of ``step``."""
    side = round(scaled / scale)
    while (rounded := math.floor(side * scale + 0.5)) % step:
        side -= 1
    return rounded


def _text(value: object) -> str:
    """Return text that PostgreSQL can store."""
    return "" if value is None else str(value).replace("\0", "\ufffd")


def _as_dict(error: FileError) -> dict[str, Any]:
    """Return an error as it is stored, under Remotion's names, with its texts cut."""
    return {
        "type": error.type,
        "name": _text(error.name)[:MAX_MESSAGE_LENGTH],
        "message": _text(error.message)[:MAX_MESSAGE_LENGTH],
        "stack": _text(error.stack)[:MAX_STACK_LENGTH],
        "chunk": error.chunk,
        "frame": error.frame,
        "attempt": error.attempt,
        "totalAttempts": error.total_attempts,
        "isFatal": error.is_fatal,
        "willRetry": error.will_retry,
    }


def _with_retries(errors: list[dict[str, Any]], retries: Sequence[Retry]) -> list[dict[str, Any]]:
    """Add to each error that a chunk was rendered again after when that was, in milliseconds since 1970."""
    again = {(retry.chunk, retry.attempt): retry.time for retry in retries}
    if again:
        for error in errors:
            if isinstance(error["chunk"], int) and isinstance(error["attempt"], int):
                at = again.get((error["chunk"], error["attempt"] + 1))
                error.update({} if at is None else {"retriedAt": at})
    return errors


def _frame_count(metadata: RenderMetadata) -> int:
    first, last = metadata.frame_range
    return len(range(first, last + 1, metadata.every_nth_frame))


def _overall_progress(file: ProgressFile) -> float:
    evaluating = sum(map(bool, (file.lambdas_invoked, file.serve_url_opened, file.composition_validated))) / 3
    if file.render_metadata is None:
        return evaluating * 0.1
    expected = file.render_metadata.estimated_render_lambda_invokations
    invoking = file.lambdas_invoked / expected if expected else float(file.lambdas_invoked > 0)
    frame_count = _frame_count(file.render_metadata)
    # In the order of Remotion's own sum, so that the last digit is the same.
    return (
        evaluating * 0.1
        + file.frames_encoded / frame_count * 0.1
        + invoking * 0.1
        + file.frames_rendered / frame_count * 0.6
        + file.combined_frames / frame_count * 0.1
    )


def _deadline_in_ms(file: ProgressFile, function_timeout: int) -> float:
    """Return when Remotion can write nothing more: chunks take one time limit, combining them a second.

    The file of a still tells no time limit, only when the function began.
    """
    if file.render_metadata and file.render_metadata.type == STILL:
        return file.render_metadata.started_date + function_timeout * 1000 + GRACE_IN_MS
    deadline = file.timeout_timestamp + GRACE_IN_MS
    if file.render_metadata and len(set(file.chunks)) >= file.render_metadata.total_chunks:
        return deadline + function_timeout * 1000
    return deadline


def _billing_duration(file: ProgressFile, metadata: RenderMetadata, now_in_ms: float) -> float:
    end = file.fatal_error_timestamp or now_in_ms
    elapsed = max(0, end - metadata.started_date)
    completed = sum(max(0, timing.rendered - timing.start) + OVERHEAD_PER_LAMBDA_IN_MS for timing in file.timings)
    return completed + max(0, file.lambdas_invoked - len(file.timings)) * elapsed


def _cost(metadata: RenderMetadata, billing_duration: float, functions: int) -> float | None:
    cost = estimate_cost(
        region=metadata.region,
        memory_size_in_mb=metadata.memory_size_in_mb,
        duration_in_ms=billing_duration,
        functions=functions,
    )
    return None if cost is None else float(f"{cost:.5g}")
