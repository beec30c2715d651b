"""Slots: how many functions may run at once, and which render may start now."""

from django.conf import settings
from django.db.models import Count, Q, Sum
from django.utils import timezone

from renders.models import Render, RenderQuerySet


def has_free_slots(render: Render) -> bool:
    """Return whether a new render may start now. Queued renders come first: it gets what they leave.

    Call it under the admission lock.
    """
    is_put_off = Q(status=Render.Status.QUEUED, dispatch_after__gt=timezone.now())
    active = Render.objects.active().aggregate(slots=Sum("slots_needed"), put_off=Count("pk", filter=is_put_off))
    if active["put_off"]:
        return False  # AWS has just said that it has no capacity
    return _fits(render, slots_used=active["slots"] or 0)


def next_to_start() -> Render | None:
    """Return the first queued render, locked, if it may start now; None otherwise.

    No smaller render overtakes it, or it might never start. Call it under the admission lock.
    """
    render = Render.objects.queued().select_for_update().first()
    if render is None or (render.dispatch_after and render.dispatch_after > timezone.now()):
        return None
    return render if _fits(render, slots_used=_slots(Render.objects.using_slots())) else None


def _fits(render: Render, *, slots_used: int) -> bool:
    # A render that needs more than the limit must still be possible: alone.
    return not slots_used or render.slots_needed <= settings.REMOTION_CONCURRENCY - slots_used


def _slots(renders: RenderQuerySet) -> int:
    return renders.aggregate(total=Sum("slots_needed"))["total"] or 0
