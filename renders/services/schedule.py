"""When AWS is to be asked about a render again. Pure, but for the settings."""

from datetime import datetime, timedelta

from renders.models import Render

SHORTEST = timedelta(seconds=1)
LONGEST = timedelta(seconds=15)
EASING = 10
"""A render is read every second until it is ten seconds old, then at tenths of its age, to 15 s."""

WATCHED_FOR = timedelta(seconds=10)
"""How long after a progress request somebody counts as watching."""

LATE_LOOKS = (timedelta(minutes=5), timedelta(hours=1), timedelta(days=1))
"""When, after it failed, a render of which Remotion had said nothing is looked at again."""


def next_refresh_at(render: Render, now: datetime, *, watched_at: datetime | None = None) -> datetime | None:
    """When to ask AWS about the render next, as it is ``now``; None where nothing can come any more.

    ``watched_at`` is when somebody last asked for its progress.
    """
    if render.status == Render.Status.RENDERING:
        # Remotion stops within seconds of being asked to, and whoever asked waits for it.
        moments = (watched_at, render.cancel_requested_at)
        is_watched = any(moment is not None and now - moment < WATCHED_FOR for moment in moments)
        return now + (SHORTEST if is_watched else _interval(render, now))
    if render.may_yet_succeed and render.finished_at:
        looks = (render.finished_at + look for look in LATE_LOOKS)
        return next((at for at in looks if at > now), None)
    return None


def _interval(render: Render, now: datetime) -> timedelta:
    age = now - (render.submitted_at or render.created_at)
    interval = age / EASING
    if render.progress:
        # Near the end the rest is short: half of it, at the speed so far.
        interval = min(interval, age * (1 - render.progress) / render.progress / 2)
    return min(LONGEST, max(SHORTEST, interval))
