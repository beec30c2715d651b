"""Interpret what was fetched, and ask S3 further where the file does not decide. No database."""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from django.utils import timezone

from renders.models import Render
from renders.remotion import storage
from renders.remotion.errors import RemotionError, UnusableResponse
from renders.remotion.progress import RenderProgress, interpret, output_key
from renders.remotion.reader import OUT_OF_TIME, Fetched, FetchFailed, FetchResult, Missing, Unchanged
from renders.remotion.target import LambdaTarget
from renders.services.refresh.schedule import overdue_at

logger = logging.getLogger(__name__)

THREADS = 8
TIME_LIMIT_SECONDS = 10
"""For the further requests of one batch: looking for outputs, asking Remotion to cancel."""


@dataclass(frozen=True)
class Observation:
    """What was learnt about one render."""

    render_id: str
    fetched: Fetched | None = None
    """None if there was no progress.json, or none that will ever be usable."""
    progress: RenderProgress | None = None
    """What ``fetched`` means."""
    is_over: bool = False
    """Its time has passed by S3's clock, and its output was looked for."""
    output_size: int | None = None
    """Bytes of the output, if it was looked for and found."""
    cancel_sent: bool = False
    """Remotion was asked to cancel it."""
    cancel_error: str = ""
    """Why Remotion could not be asked."""


Observed = Observation | Unchanged | FetchFailed


def observe(
    target: LambdaTarget,
    renders: Sequence[Render],
    results: Sequence[FetchResult],
    *,
    is_stopped: Callable[[], bool] = lambda: False,
) -> list[Observed]:
    """Return what each result says about its render, in order.

    Where the time of a render has passed, or it shall be cancelled, S3 is asked further, for at
    most ``TIME_LIMIT_SECONDS`` over all of them.
    """
    now = timezone.now()
    observed = [_interpret(render, result, now) for render, result in zip(renders, results, strict=True)]
    undecided = [number for number, found in enumerate(observed) if _is_undecided(renders[number], found)]
    if undecided:
        ends_at = time.monotonic() + TIME_LIMIT_SECONDS
        ask = partial(_ask_further, target, is_out_of_time=lambda: is_stopped() or time.monotonic() > ends_at)
        with ThreadPoolExecutor(THREADS) as threads:
            answers = threads.map(ask, (renders[number] for number in undecided), (observed[n] for n in undecided))
            for number, answer in zip(undecided, answers, strict=True):
                observed[number] = answer
    return observed


def _interpret(render: Render, result: FetchResult, now: datetime) -> Observed:
    if isinstance(result, Unchanged):
        return result
    if isinstance(result, Missing):
        return Observation(render.render_id)
    if isinstance(result, Fetched):
        try:
            return _observation(render, result, now.timestamp() * 1000)
        except Exception as err:
            # One malformed file must not keep the other renders of the batch from being read.
            message = f"S3 answered with a progress.json that cannot be understood ({err!r})."
            result = FetchFailed(UnusableResponse(message))
    if _is_final(render, result, now):
        return Observation(render.render_id)
    return result


def _is_final(render: Render, result: FetchFailed, now: datetime) -> bool:
    """Whether waiting for a readable file is over: nothing can be running, and it is unusable or not wanted."""
    is_unwanted = isinstance(result.error, UnusableResponse) or render.cancel_requested_at is not None
    return is_unwanted and not result.out_of_time and now > overdue_at(render) + _time_limit(render)


def _observation(render: Render, fetched: Fetched, now_in_ms: float) -> Observation:
    progress = interpret(
        fetched.file,
        bucket_name=render.bucket_name,
        now_in_ms=now_in_ms,
        function_timeout=render.function_timeout,
    )
    return Observation(render.render_id, fetched, progress)


def _is_undecided(render: Render, found: Observed) -> bool:
    return isinstance(found, Observation) and (_must_cancel(render, found) or _may_be_over(render, found))


def _must_cancel(render: Render, found: Observation) -> bool:
    """Whether Remotion has not been asked yet to cancel a render that shall be cancelled."""
    is_running = render.status == Render.Status.RENDERING and not _has_ended(found)
    return is_running and render.cancel_requested_at is not None and render.cancel_sent_at is None


def _has_ended(found: Observation) -> bool:
    return found.progress is not None and (found.progress.done or found.progress.fatal_error is not None)


def _may_be_over(render: Render, found: Observation) -> bool:
    """Whether nothing more will be written, by our clock, so that the output must be looked for."""
    if found.progress is None:
        is_overdue = not render.is_terminal and timezone.now() > overdue_at(render)
        return is_overdue or render.is_presumed_failed
    if render.kind == Render.Kind.STILL:
        return found.progress.fatal_error is None  # its file says no more: it has ended when its output exists
    return found.progress.is_past_deadline and found.progress.fatal_error is None


def _ask_further(
    target: LambdaTarget, render: Render, found: Observation, *, is_out_of_time: Callable[[], bool]
) -> Observed:
    if is_out_of_time():
        return OUT_OF_TIME
    try:
        if _must_cancel(render, found):
            found = _with_cancel_sent(target, render, found)
        return _with_output(target, render, found) if _may_be_over(render, found) else found
    except RemotionError as err:
        failed = FetchFailed(err)
        if found.fetched is None and render.cancel_requested_at and _is_final(render, failed, timezone.now()):
            return replace(found, is_over=True)  # cancelled, though S3 cannot be asked
        return failed
    except Exception as err:
        logger.exception("Render %s: what S3 said of its output cannot be understood.", render.id)
        message = f"What S3 said of the output cannot be understood ({type(err).__name__})."
        return FetchFailed(UnusableResponse(message))


def _with_output(target: LambdaTarget, render: Render, found: Observation) -> Observation:
    """Look for the output, and interpret the file again by S3's clock, which is the one that counts."""
    key = output_key(render_id=render.render_id, out_name=render.out_name)
    search = storage.find_output(target, bucket_name=render.bucket_name, key=key)
    if found.fetched:
        found = replace(found, progress=_observation(render, found.fetched, search.at_in_ms).progress)
    return replace(found, is_over=True, output_size=search.size)


def _with_cancel_sent(target: LambdaTarget, render: Render, found: Observation) -> Observation:
    try:
        storage.request_cancel(target, bucket_name=render.bucket_name, render_id=render.render_id)
    except RemotionError as err:
        return replace(found, cancel_error=str(err))
    return replace(found, cancel_sent=True)


def _time_limit(render: Render) -> timedelta:
    return timedelta(seconds=render.function_timeout)
