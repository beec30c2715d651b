"""Slots in use, and how they are shared between owners: whose queued render comes first."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Sum

from renders.models import Render
from renders.services.quotas import function_limits

AGEING = timedelta(minutes=10)
POINTS_OF_AGE = 10
"""An owner of whom nothing runs gains so many points of priority for each ``AGEING`` that their first render waits."""


class SlotUse:
    """How many slots are in use at ``at``, by whom, and what each owner may use. An owner is an id; None is one too."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        used = Render.objects.using_slots(at).order_by().values_list("owner_id").annotate(Sum("slots_needed"))
        self.by_owner: dict[int | None, int] = dict(used)
        self.total = sum(self.by_owner.values())
        self._limits: dict[int | None, int | None] = {}

    def load_limits(self, owner_ids: Iterable[int | None]) -> None:
        """Load the limits of these owners in one query."""
        if missing := set(owner_ids) - self._limits.keys():
            self._limits |= function_limits(missing)

    def limit_of(self, owner_id: int | None) -> int | None:
        """Return how many slots an owner may use at once; None without a limit."""
        self.load_limits([owner_id])
        return self._limits[owner_id]

    def fits(self, render: Render, *, queued: int = 0) -> bool:
        """Return whether the slots that are left are enough for ``render`` after ``queued`` others.

        A render that needs more than all must still be possible: alone.
        """
        before = self.total + queued
        return not before or before + render.slots_needed <= settings.REMOTION_CONCURRENCY

    def fits_owner(self, render: Render, *, queued: int = 0) -> bool:
        """Return whether what its owner may use is enough for ``render`` after ``queued`` others of theirs.

        One that needs more than all of it runs as the owner's only one, unless they may use nothing.
        """
        limit = self.limit_of(render.owner_id)
        before = self.by_owner.get(render.owner_id, 0) + queued
        return limit is None or before + render.slots_needed <= limit or (limit > 0 and not before)

    def turn(self, render: Render) -> tuple[float, float, datetime, int]:
        """Return by what the first renders of owners that may start are ordered; the least comes first.

        The highest priority, then the owner who uses the least share of what they may use, then the queue's order.
        """
        used = self.by_owner.get(render.owner_id, 0)
        share = used / (self.limit_of(render.owner_id) or settings.REMOTION_CONCURRENCY)
        points = render.priority
        if not used:
            points += (self.at - render.created_at) // AGEING * POINTS_OF_AGE
        return (-points, share, render.queue_rank, render.pk.int)
