"""When a render is refreshed next, and when it must be over. Pure."""

from datetime import datetime, timedelta

from renders.models import Render

MIN_INTERVAL = timedelta(seconds=1)
MAX_INTERVAL = timedelta(seconds=15)
AGE_DIVISOR = 10
"""A render is refreshed each second until it is ten seconds old, then at tenths of its age, up to 15 s."""

WATCHED_FOR = timedelta(seconds=10)
"""How long after a client asked for its progress a render is refreshed each second."""

RECHECKS = (timedelta(minutes=5), timedelta(hours=1), timedelta(days=1))
"""When, after it was presumed failed, a render is read again."""

LOST_AFTER_TIMEOUT = timedelta(seconds=60)
"""How long after the function's time limit a render of which nothing is found is presumed lost."""


def next_refresh_at(render: Render, now: datetime, *, watched_at: datetime | None = None) -> datetime | None:
    """Return when to refresh the render next; None if it can change no more.

    ``watched_at`` is when a client last asked for its progress.
    """
    if render.status == Render.Status.RENDERING:
        # Remotion cancels within seconds, and whoever asked for it waits.
        moments = (watched_at, render.cancel_requested_at)
        is_watched = any(moment is not None and now - moment < WATCHED_FOR for moment in moments)
        return now + (MIN_INTERVAL if is_watched else _interval(render, now))
    if render.is_presumed_failed and render.finished_at:
        rechecks = (render.finished_at + delay for delay in RECHECKS)
        return next((at for at in rechecks if at > now), None)
    return None


def overdue_at(render: Render) -> datetime:
    """Return when a render of which nothing is found must be over, if it ever ran."""
    submitted_at = render.submitted_at or render.created_at
    return submitted_at + timedelta(seconds=render.function_timeout) + LOST_AFTER_TIMEOUT


def _interval(render: Render, now: datetime) -> timedelta:
    age = now - (render.submitted_at or render.created_at)
    interval = age / AGE_DIVISOR
    if render.progress:
        # Near the end: half of the time that is left at the speed so far.
        interval = min(interval, age * (1 - render.progress) / render.progress / 2)
    return min(MAX_INTERVAL, max(MIN_INTERVAL, interval))
