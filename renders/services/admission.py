"""Slots: how many functions may run at once, and which render may start now."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Q, Sum
from django.utils import timezone

from renders.models import Render
from renders.remotion.target import LambdaTarget

MAX_PREPARATION = timedelta(seconds=60)
"""Abort a start whose preparation took longer: another process may have failed the row."""


def slots_until(target: LambdaTarget, *, submitted_at: datetime, kind: str = Render.Kind.VIDEO) -> datetime:
    """Return when no function of a render that is submitted then can be running any more.

    Preparing and making the start take up to their time limits, the main function up to the
    function's, and a renderer that it starts at its very end as long again. A still is the one
    function that its call waits for.
    """
    seconds = target.start_time_limit + 2 * target.function_timeout
    if kind == Render.Kind.STILL:
        seconds = target.answer_time_limit
    return submitted_at + MAX_PREPARATION + timedelta(seconds=seconds)


def has_free_slots(render: Render) -> bool:
    """Return whether a new render may start now. Queued renders come first: it gets what they leave.

    Call it under the admission lock.
    """
    now = timezone.now()
    queued = Render.objects.queued().aggregate(
        slots=Sum("slots_needed"), put_off=Count("pk", filter=Q(dispatch_after__gt=now))
    )
    if queued["put_off"]:
        return False  # AWS has just said that it has no capacity
    return _fits(render, slots_used=(queued["slots"] or 0) + _slots_used(now))


def next_to_start() -> Render | None:
    """Return the first queued render, locked, if it may start now; None otherwise.

    No smaller render overtakes it, or it might never start. Call it under the admission lock.
    """
    render = Render.objects.queued().select_for_update().first()
    now = timezone.now()
    if render is None or (render.dispatch_after and render.dispatch_after > now):
        return None
    return render if _fits(render, slots_used=_slots_used(now)) else None


def _fits(render: Render, *, slots_used: int) -> bool:
    # A render that needs more than the limit must still be possible: alone.
    return not slots_used or render.slots_needed <= settings.REMOTION_CONCURRENCY - slots_used


def _slots_used(at: datetime) -> int:
    return Render.objects.using_slots(at).aggregate(total=Sum("slots_needed"))["total"] or 0
