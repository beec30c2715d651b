"""What may happen to a render: each function checks where the row is and sets what changes.

::

    queued ⇄ submitting → rendering → succeeded
                                    ↘ failed (rejected | render_error | timed_out | lost)
                                          ↘ succeeded, when the output appears after all
    any of the first three → cancelled

``submitting`` is committed before AWS is called: a row left there is unconfirmed, its call had an
unknown outcome, and it is never submitted again by itself. It returns to ``queued`` only where the
answer proves that nothing ran. A repeated or late event changes nothing: each function returns
whether it changed the row. They change the row in memory; ``Render.save_changes()`` saves it.
"""

from datetime import datetime
from typing import Any

from renders.models.render import Render

Status = Render.Status

UNSENT_CANCEL = "It was to be cancelled, but the request could not be sent before it ended."


class IllegalTransition(Exception):
    """The render's status does not allow what was asked for."""


def mark_submitting(render: Render, *, at: datetime, slots_until: datetime, configuration: dict[str, Any]) -> bool:
    """``queued`` → ``submitting``: AWS is called as soon as this is committed.

    ``configuration`` has the fields that keep the settings of this start.
    """
    if render.status != Status.QUEUED:
        return False
    render.set_fields(status=Status.SUBMITTING, submitted_at=at, slots_until=slots_until, error="", **configuration)
    return True


def mark_queued_again(render: Render, *, error: str, dispatch_after: datetime, upload_failed: bool = False) -> bool:
    """``submitting`` → ``queued``: nothing ran; ``cancelled`` if that was requested meanwhile."""
    if render.status != Status.SUBMITTING:
        return False
    if render.cancel_requested_at:
        return mark_cancelled(render, at=render.cancel_requested_at)
    render.set_fields(
        status=Status.QUEUED,
        submitted_at=None,
        slots_until=None,
        error=error,
        dispatch_after=dispatch_after,
        throttled_count=render.throttled_count + 1,
        upload_attempts=render.upload_attempts + upload_failed,
    )
    return True


def request_cancel(render: Render, *, at: datetime) -> bool:
    """Cancel a queued render now; note for any other active one that it shall be cancelled.

    Raise IllegalTransition if the render has ended.
    """
    if render.is_terminal:
        raise IllegalTransition(f"The render has ended already ({render.status}), so there is nothing to cancel.")
    if render.cancel_requested_at is None:
        render.set_fields(cancel_requested_at=at)
    if render.status == Status.QUEUED:
        mark_cancelled(render, at=at)
    return True


def record_cancel_sent(render: Render, *, at: datetime) -> bool:
    """Remotion has been asked to cancel the render."""
    if render.is_terminal or render.cancel_sent_at:
        return False
    render.set_fields(cancel_sent_at=at, error="")
    return True


def record_cancel_unsent(render: Render, *, error: str) -> bool:
    """Remotion could not be asked to cancel the render yet; ``error`` says why."""
    if render.is_terminal or render.cancel_sent_at:
        return False
    render.set_fields(error=f"The request to cancel could not be sent, and is sent again: {error}")
    return True


def mark_cancelled(render: Render, *, at: datetime) -> bool:
    """Any active status → ``cancelled``."""
    if render.is_terminal:
        return False
    render.set_fields(status=Status.CANCELLED, finished_at=at, error="")
    return True


def mark_rendering(
    render: Render, *, render_id: str, bucket_name: str, cloudwatch_logs: str, folder_in_s3_console: str
) -> bool:
    """``submitting`` → ``rendering``: the renderId is known.

    A render that was presumed lost, or cancelled before its renderId was known, returns to
    ``rendering`` too, so that its end is recorded. Raise IllegalTransition for any other.
    """
    if render.render_id == render_id and render.bucket_name == bucket_name:
        return False
    ended_without_id = render.failure_reason == Render.FailureReason.LOST or (
        render.status == Status.CANCELLED and render.submitted_at is not None
    )
    if render.status != Status.SUBMITTING and (render.render_id or not ended_without_id):
        raise IllegalTransition(f"A render that is {render.status} cannot take the renderId {render_id}.")
    render.set_fields(
        status=Status.RENDERING,
        finished_at=None,
        failure_reason="",
        error="",
        render_id=render_id,
        bucket_name=bucket_name,
        cloudwatch_logs=cloudwatch_logs,
        folder_in_s3_console=folder_in_s3_console,
    )
    return True


def record_unconfirmed(render: Render, *, error: str) -> bool:
    """``submitting`` stays: the start has an unknown outcome, and ``error`` says why."""
    if render.status != Status.SUBMITTING:
        return False
    render.set_fields(error=error)
    return True


def record_progress(
    render: Render,
    *,
    progress: float,
    frames_rendered: int,
    errors: list[dict[str, Any]],
    cost: float | None,
    currency: str,
    function_seconds: float | None,
    deadline_at: datetime | None,
    first_chunk_at: datetime | None,
    at: datetime,
) -> bool:
    """Store what a progress.json said at ``at``, of a render that is rendering or presumed failed.

    ``progress`` (0 to 1) and ``frames_rendered`` never fall. ``function_seconds`` is what AWS bills so far;
    ``first_chunk_at`` is when the first of its chunks was rendered, which may have been before it was seen.
    """
    if not render.is_refreshable:
        return False
    if progress > render.progress:
        render.set_fields(progress=min(1.0, progress), progressed_at=at)
    if frames_rendered and not render.frames_rendered:
        render.set_fields(first_frame_at=min(at, first_chunk_at or at))
    render.set_fields(
        frames_rendered=max(render.frames_rendered, frames_rendered),
        errors=errors,
        cost=cost,
        currency=currency,
        function_seconds=function_seconds,
        deadline_at=deadline_at,
        refreshed_at=at,
    )
    return True


def record_cost(
    render: Render, *, cost: float | None, currency: str, artifacts: list[dict[str, Any]], at: datetime
) -> bool:
    """Store what the answer to a still's call said besides its output."""
    if not render.is_refreshable:
        return False
    render.set_fields(cost=cost, currency=currency, artifacts=artifacts, refreshed_at=at)
    return True


def record_size(render: Render, *, duration_in_frames: int | None, width: int | None, height: int | None) -> bool:
    """Store the output's length and size, once they are known. ``duration_in_frames`` is None for a still."""
    if not render.is_refreshable:
        return False
    render.set_fields(duration_in_frames=duration_in_frames, width=width, height=height)
    return True


def record_artifacts(render: Render, *, artifacts: list[dict[str, Any]]) -> bool:
    """Store the further files that the composition has emitted so far."""
    if not render.is_refreshable:
        return False
    render.set_fields(artifacts=artifacts)
    return True


def record_no_progress_file(render: Render, *, at: datetime) -> bool:
    """Store that there was no progress.json at ``at``."""
    if not render.is_refreshable:
        return False
    render.set_fields(refreshed_at=at)
    return True


def mark_succeeded(render: Render, *, output_bucket: str, output_key: str, output_size: int, at: datetime) -> bool:
    """``rendering`` or ``failed`` → ``succeeded``: the output (``output_size`` bytes) exists."""
    if render.status not in (Status.RENDERING, Status.FAILED):
        return False
    render.set_fields(
        status=Status.SUCCEEDED,
        finished_at=at,
        failure_reason="",
        error=UNSENT_CANCEL if _has_unsent_cancel(render) else "",
        progress=1.0,
        output_bucket=output_bucket,
        output_key=output_key,
        output_size=output_size,
    )
    return True


def mark_failed(render: Render, reason: Render.FailureReason, *, error: str, at: datetime) -> bool:
    """Any active status → ``failed``; ``error`` says in one sentence what went wrong."""
    if render.is_terminal:
        return False
    if _has_unsent_cancel(render):
        error = f"{error} {UNSENT_CANCEL}"
    render.set_fields(status=Status.FAILED, finished_at=at, failure_reason=reason, error=error)
    return True


def _has_unsent_cancel(render: Render) -> bool:
    return render.cancel_requested_at is not None and render.cancel_sent_at is None
