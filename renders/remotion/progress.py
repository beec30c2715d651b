"""What a progress.json means. Pure: no clock, no network, no database.

Follows ``getProgress`` of @remotion/serverless-client 4.0.527, whose answers are recorded in
tests/recordings/. Adds a deadline, because Remotion reports no timeout for a render whose main
function died before it wrote ``renderMetadata``.
"""

from dataclasses import dataclass
from typing import Any

from renders.remotion.pricing import currency, estimate_cost

GRACE_IN_MS = 20_000
"""How far clocks may differ before Remotion calls a render timed out."""

OVERHEAD_PER_LAMBDA_IN_MS = 100

MAX_MESSAGE_LENGTH = 2000
"""Characters. Whatever ``code`` throws becomes a message, however long."""

EXPLANATIONS = (
    # (any of these in an error's stack, what it means)
    (
        ("FATAL:zygote_communication_linux.cc", "error while loading shared libraries: libnss3.so"),
        "The browser did not launch; Remotion tries again.",
    ),
    (
        ("TooManyRequestsException", "ConcurrentInvocationLimitExceeded"),
        "AWS's limit of concurrent functions was reached: raise it, or render fewer videos at once.",
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
    fatal_error_encountered: bool
    deadline_in_ms: float | None
    """Since 1970, on the function's clock: after it nothing more is written. None if it is done."""
    is_past_deadline: bool
    """The output may exist all the same: look for it."""
    errors: list[dict[str, Any]]
    """Remotion's errors with an explanation; of a finished render, its warnings."""
    out_bucket: str | None
    out_key: str | None
    output_size: int | None
    time_to_finish: int | None
    cost: float | None
    currency: str
    billing_duration: float | None

    @property
    def was_cancelled(self) -> bool:
        """Whether Remotion cancelled the render: only the text of its errors says so."""
        return any(is_fatal(error) and "got cancelled" in str(error.get("message")) for error in self.errors)

    @property
    def error_message(self) -> str:
        """One sentence about the error that ended the render; empty if none did."""
        for error in self.errors:
            if is_fatal(error):
                said = str(error.get("message") or error.get("name")).split("\n    at ")[0].strip()
                message = said[:MAX_MESSAGE_LENGTH] or "Remotion failed without a message."
                return f"{message} ({error['explanation']})" if error.get("explanation") else message
        return ""


def output_key(*, render_id: str, out_name: str) -> str:
    """Return the key of the output that was named ``out_name`` at the start."""
    return f"renders/{render_id}/{out_name}"


def progress_key(render_id: str) -> str:
    """Return the key of the render's progress.json."""
    return f"renders/{render_id}/progress.json"


def is_fatal(error: dict[str, Any]) -> bool:
    """Return whether this error ends the render."""
    return bool(error.get("isFatal")) and not error.get("willRetry")


def explain(error: dict[str, Any]) -> str | None:
    """Return what to do about an error that Remotion users often meet, else None."""
    stack = str(error.get("stack", "")).lower()
    return next((text for tokens, text in EXPLANATIONS if any(token.lower() in stack for token in tokens)), None)


def interpret(
    progress_json: dict[str, Any], *, bucket_name: str, now_in_ms: float, function_timeout: int
) -> RenderProgress:
    """Interpret a progress.json that was read from ``bucket_name``.

    ``now_in_ms`` is the time of the read on AWS's clock, in milliseconds since 1970;
    ``function_timeout`` the function's time limit in seconds. Raise KeyError or TypeError for
    a file that is not the progress.json of a video.
    """
    if progress_json["postRenderData"] is not None:
        return _finished(progress_json, bucket_name=bucket_name)
    errors = [{**error, "explanation": explain(error), "s3Location": ""} for error in progress_json["errors"]]
    metadata = progress_json["renderMetadata"]
    deadline_in_ms = _deadline_in_ms(progress_json, function_timeout)
    billing_duration = _billing_duration(progress_json, now_in_ms) if metadata else None
    return RenderProgress(
        overall_progress=_overall_progress(progress_json),
        frames_rendered=progress_json["framesRendered"],
        chunks=len(progress_json["chunks"]),
        lambdas_invoked=progress_json["lambdasInvoked"],
        done=False,
        fatal_error_encountered=any(is_fatal(error) for error in errors),
        deadline_in_ms=deadline_in_ms,
        is_past_deadline=now_in_ms > deadline_in_ms,
        errors=errors,
        out_bucket=None,
        out_key=None,
        output_size=None,
        time_to_finish=None,
        cost=_cost(metadata, billing_duration, progress_json["lambdasInvoked"]) if billing_duration is not None else 0,
        currency=currency(metadata["region"]) if metadata else "USD",
        billing_duration=billing_duration,
    )


def _finished(progress_json: dict[str, Any], *, bucket_name: str) -> RenderProgress:
    metadata = progress_json["renderMetadata"]
    result = progress_json["postRenderData"]
    out_name = metadata.get("outName") or "out.mp4"
    return RenderProgress(
        overall_progress=1,
        frames_rendered=_frame_count(metadata),
        chunks=metadata["totalChunks"],
        lambdas_invoked=metadata["totalChunks"],
        done=True,
        fatal_error_encountered=False,
        deadline_in_ms=None,
        is_past_deadline=False,
        errors=result["errors"],
        out_bucket=bucket_name,
        out_key=output_key(render_id=metadata["renderId"], out_name=out_name),
        output_size=result["outputSize"],
        time_to_finish=result["timeToFinish"],
        cost=result["cost"]["estimatedCost"],
        currency=result["cost"]["currency"],
        billing_duration=result["estimatedBillingDurationInMilliseconds"],
    )


def _frame_count(metadata: dict[str, Any]) -> int:
    first, last = metadata["frameRange"]
    return len(range(first, last + 1, metadata["everyNthFrame"]))


def _overall_progress(progress_json: dict[str, Any]) -> float:
    steps = ("lambdasInvoked", "serveUrlOpened", "compositionValidated")
    evaluating = sum(bool(progress_json[step]) for step in steps) / 3
    metadata = progress_json["renderMetadata"]
    if metadata is None:
        return evaluating * 0.1
    invoked, expected = progress_json["lambdasInvoked"], metadata["estimatedRenderLambdaInvokations"]
    invoking = invoked / expected if expected else float(invoked > 0)
    frame_count = _frame_count(metadata)
    # In the order of Remotion's own sum, so that the last digit is the same.
    return (
        evaluating * 0.1
        + progress_json["framesEncoded"] / frame_count * 0.1
        + invoking * 0.1
        + progress_json["framesRendered"] / frame_count * 0.6
        + progress_json["combinedFrames"] / frame_count * 0.1
    )


def _deadline_in_ms(progress_json: dict[str, Any], function_timeout: int) -> float:
    """Return when Remotion can write nothing more: chunks take one time limit, combining them a second."""
    metadata = progress_json["renderMetadata"]
    deadline: float = progress_json["timeoutTimestamp"] + GRACE_IN_MS
    if metadata and set(range(metadata["totalChunks"])) <= set(progress_json["chunks"]):
        return deadline + function_timeout * 1000
    return deadline


def _billing_duration(progress_json: dict[str, Any], now_in_ms: float) -> float:
    timings = progress_json["timings"]
    end = progress_json["fatalErrorTimestamp"] or now_in_ms
    elapsed = max(0, end - progress_json["renderMetadata"]["startedDate"])
    completed = sum(max(0, t["rendered"] - t["start"]) + OVERHEAD_PER_LAMBDA_IN_MS for t in timings)
    return completed + max(0, progress_json["lambdasInvoked"] - len(timings)) * elapsed


def _cost(metadata: dict[str, Any], billing_duration: float, functions: int) -> float | None:
    cost = estimate_cost(
        region=metadata["region"],
        memory_size_in_mb=metadata["memorySizeInMb"],
        duration_in_ms=billing_duration,
        functions=functions,
    )
    return None if cost is None else float(f"{cost:.5g}")
