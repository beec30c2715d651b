"""Slots: how many functions may run at once, and which render may start now."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from renders.models import Render, RenderQuerySet
from renders.remotion.target import LambdaTarget
from renders.services.slot_use import SlotUse

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

    Those whose owner may use no more slots leave theirs to others. Call it under the admission lock.
    """
    use = SlotUse(timezone.now())
    if not use.fits(render) or not use.fits_owner(render):
        return False
    first_queued = list(Render.objects.first_queued_of_each_owner())
    if not first_queued:
        return True
    heads = _that_may_start(first_queued, use)
    if any(_is_put_off(head, use.at) for head in heads):
        return False  # AWS has just said that it has no capacity
    own = _slots_queued([render.owner_id])
    others = [head.owner_id for head in heads if head.owner_id != render.owner_id]
    return use.fits_owner(render, queued=own) and use.fits(render, queued=own + _slots_queued(others))


def next_to_start() -> Render | None:
    """Return the queued render whose turn it is, locked, if it may start now; None otherwise.

    An owner who uses all that they may is passed over. No smaller render overtakes the one whose turn it is, or it
    might never start. Call it under the admission lock.
    """
    use = SlotUse(timezone.now())
    if use.total >= settings.REMOTION_CONCURRENCY:
        return None
    while heads := _that_may_start(Render.objects.first_queued_of_each_owner(), use):
        first = min(heads, key=use.turn)
        if _is_put_off(first, use.at) or not use.fits(first):
            return None
        if render := Render.objects.queued().lock().filter(pk=first.pk).first():
            return render
        # It was cancelled meanwhile.
    return None


def _that_may_start(first_queued: Iterable[Render], use: SlotUse) -> list[Render]:
    """Return those that their owners' quotas let start."""
    heads = list(first_queued)
    use.load_limits(head.owner_id for head in heads)
    return [head for head in heads if use.fits_owner(head)]


def _is_put_off(render: Render, at: datetime) -> bool:
    return render.dispatch_after is not None and render.dispatch_after > at


def _slots_queued(owner_ids: Collection[int | None]) -> int:
    """Return how many slots the queued renders of these owners need, or a number that is more than all slots."""
    slots = _sum_of_slots(Render.objects.queued_with_owner(owner_id for owner_id in owner_ids if owner_id is not None))
    return slots + _sum_of_slots(Render.objects.queued_without_owner()) if None in owner_ids else slots


def _sum_of_slots(queued: RenderQuerySet) -> int:
    # Each needs one at least, so that more rows need not be read.
    rows = queued[: settings.REMOTION_CONCURRENCY + 1]
    return rows.aggregate(total=Sum("slots_needed"))["total"] or 0
