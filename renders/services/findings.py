"""What AWS said of a render: from a reading to the row. The one mapper, whoever brought the news.

A finding is made without the database, since it may mean asking AWS further; the row takes it
under its lock.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from renders.models import Render
from renders.remotion import storage
from renders.remotion.config import RemotionConfig
from renders.remotion.errors import NoNews, RemotionError
from renders.remotion.progress import RenderProgress, interpret, output_key
from renders.remotion.reader import NOT_YET, UNCHANGED, Reading
from renders.services.rows import ask_to_stop

logger = logging.getLogger(__name__)

LOST_AFTER_TIMEOUT = timedelta(seconds=60)
"""How long after the function's time limit a render of which nothing is found counts as lost."""

FAR_FUTURE = datetime(3000, 1, 1, tzinfo=UTC).timestamp()


@dataclass(frozen=True)
class Finding:
    """What was found of one render. Without ``progress`` there was no progress.json."""

    render_id: str
    reading: Reading
    progress: RenderProgress | None = None
    is_over: bool = False
    """Without ``progress``: its time is up, and its output was looked for."""
    output_size: int | None = None
    """Bytes of an output that was looked for because the deadline has passed, and found."""


Found = Finding | RemotionError | None
"""None for a file that is as it was."""


def usable_etag(render: Render, now: datetime) -> str:
    """The ETag, unless the file is needed whole: to decide whether a render is over."""
    is_in_time = render.deadline_at is not None and now < render.deadline_at
    return render.refresh.etag if is_in_time and not render.cancel_requested_at else ""


def find(render: Render, reading: Reading | RemotionError, now: datetime) -> Found:
    """What a reading says of a render."""
    if reading is UNCHANGED:
        return None
    if isinstance(reading, Reading):
        try:
            return _interpreted(render, reading, now.timestamp() * 1000)
        except Exception as err:
            # Whatever is wrong with one file, the other renders are to be read.
            logger.warning("Render %s has a progress.json that cannot be understood: %r", render.id, err)
            reading = NoNews(f"S3 answered with a progress.json that cannot be understood ({err!r}).")
    if isinstance(reading, NoNews) and now > overdue_at(render) + timedelta(seconds=render.function_timeout):
        return Finding(render.render_id, Reading())  # it says nothing, and never will
    return reading


def _interpreted(render: Render, reading: Reading, now_in_ms: float) -> Finding:
    if reading.progress_json is None:
        return Finding(render.render_id, reading)
    progress = interpret(
        reading.progress_json,
        bucket_name=render.bucket_name,
        now_in_ms=now_in_ms,
        function_timeout=render.function_timeout,
    )
    return Finding(render.render_id, reading, progress)


def must_ask_further(render: Render, finding: Found) -> bool:
    return isinstance(finding, Finding) and (bool(render.cancel_requested_at) or _may_be_over(render, finding))


def ask_further(config: RemotionConfig, render: Render, finding: Found, *, is_over: Callable[[], bool]) -> Found:
    """Asks AWS what the file does not say, unless time is up; leaves the database alone."""
    if not isinstance(finding, Finding) or not must_ask_further(render, finding):
        return finding
    if is_over():
        return NOT_YET
    try:
        if render.cancel_requested_at and render.status == Render.Status.RENDERING:
            ask_to_stop(render, config)
        if not _may_be_over(render, finding):
            return finding
        output = storage.find_output(config, bucket_name=render.bucket_name, key=_output_key(render))
        # By our clock it is over. What counts is AWS's, and whether the output is there after all.
        finding = _interpreted(render, finding.reading, output.at_in_ms)
        return replace(finding, is_over=True, output_size=output.size)
    except RemotionError as err:
        return err
    except Exception as err:
        logger.exception("Render %s: what AWS said of its output cannot be understood.", render.id)
        return NoNews(f"What AWS said of the output cannot be understood ({type(err).__name__}).")


def _may_be_over(render: Render, finding: Finding) -> bool:
    """Whether no more is to come, so that the output must be looked for."""
    progress = finding.progress
    if progress is None:
        return _is_overdue(render) or render.may_yet_succeed
    return progress.is_past_deadline and not progress.fatal_error_encountered


def take_finding(render: Render, finding: Finding, now: datetime) -> None:
    """The one mapper: moves a locked row to where what was found says that it is."""
    if finding.render_id != render.render_id:
        return  # nothing was read of the render that the row now is
    reasons = Render.FailureReason
    progress = finding.progress
    if progress and finding.reading.progress_json:
        render.record_progress(
            progress=progress.overall_progress,
            frames_rendered=progress.frames_rendered,
            errors=progress.errors,
            cost=progress.cost,
            currency=progress.currency,
            progress_json=finding.reading.progress_json,
            deadline_at=_from_ms(progress.deadline_in_ms),
            at=now,
        )
    else:
        render.record_nothing_yet(at=now)
    if progress and progress.done:
        render.mark_succeeded(
            output_bucket=progress.out_bucket or render.bucket_name,
            output_key=progress.out_key or _output_key(render),
            output_size=progress.output_size or 0,
            at=now,
        )
    elif progress and progress.was_cancelled and render.cancel_requested_at:
        render.mark_cancelled(at=now)
    elif progress and progress.fatal_error_encountered:
        render.mark_failed(reasons.RENDER_ERROR, error=progress.error_message, at=now)
    elif finding.output_size is not None:
        bucket, key = render.bucket_name, _output_key(render)
        render.mark_succeeded(output_bucket=bucket, output_key=key, output_size=finding.output_size, at=now)
    elif render.cancel_requested_at and (progress.is_past_deadline if progress else finding.is_over):
        render.mark_cancelled(at=now)
    elif progress and progress.is_past_deadline:
        render.mark_failed(reasons.TIMED_OUT, error=_timeout_message(render, progress), at=now)
    elif not progress and finding.is_over:
        render.mark_failed(reasons.LOST, error=_lost_message(render), at=now)


def _timeout_message(render: Render, progress: RenderProgress) -> str:
    return (
        f"The function {render.function_name} reached its time limit of {render.function_timeout} seconds"
        f" at {progress.overall_progress:.0%}. Deploy one with a longer limit, or render fewer frames;"
        " its logs say what took so long."
    )


def _lost_message(render: Render) -> str:
    return f"Nothing of the render is found in {render.bucket_name}, and its time limit has passed."


def _from_ms(milliseconds: float | None) -> datetime | None:
    if milliseconds is None:
        return None
    # A file may say anything; a datetime ends in the year 9999.
    return datetime.fromtimestamp(min(max(milliseconds / 1000, 0), FAR_FUTURE), tz=UTC)


def overdue_at(render: Render) -> datetime:
    """When a render of which nothing is found must be over, if it ever was."""
    submitted_at = render.submitted_at or render.created_at
    return submitted_at + timedelta(seconds=render.function_timeout) + LOST_AFTER_TIMEOUT


def _is_overdue(render: Render) -> bool:
    return not render.is_terminal and timezone.now() > overdue_at(render)


def _output_key(render: Render) -> str:
    return output_key(render_id=render.render_id, out_name=render.out_name)
