"""Where queued renders stand in the queue, and what each waits for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from renders.models import Render
from renders.services.slot_use import SlotUse

COUNTED = 1000
"""Of a longer queue, only so many places are counted."""


@dataclass(frozen=True)
class Waiting:
    """A render's place in the queue, and what it waits for, as the end of a sentence.

    Owners take turns, so that a render may start before one of another owner that stands before it.
    """

    place: int | None
    """1 is the first; None after the first ``COUNTED``."""
    reason: str

    def __str__(self) -> str:
        place = f"No. {self.place:,}" if self.place else f"After the first {COUNTED:,}"
        return f"{place} in the queue: {self.reason}"


def waiting(renders: Iterable[Render]) -> dict[UUID, Waiting]:
    """Return for each of these that is queued what it waits for, in three queries."""
    queued = [render for render in renders if render.status == Render.Status.QUEUED]
    if not queued:
        return {}
    first = Render.objects.queued().values_list("pk", flat=True)[:COUNTED]
    places = {pk: place for place, pk in enumerate(first, start=1)}
    use = SlotUse(timezone.now())
    use.load_limits(render.owner_id for render in queued)
    return {render.pk: Waiting(places.get(render.pk), _reason(render, use, places)) for render in queued}


def _reason(render: Render, use: SlotUse, places: Mapping[UUID, int]) -> str:
    if render.dispatch_after and render.dispatch_after > use.at:
        at = f"it is tried again at {timezone.localtime(render.dispatch_after):%H:%M:%S %Z}."
        return f"{at} {render.error}".strip()
    if not use.fits_owner(render):
        limit, used = use.limit_of(render.owner_id), use.by_owner.get(render.owner_id, 0)
        return f"it needs {_functions(render)}, and its owner uses {used:,} of {limit:,}."
    if not use.fits(render):
        return f"it needs {_functions(render)}, and {use.total:,} of {settings.REMOTION_CONCURRENCY:,} are in use."
    return "a worker starts it next." if places.get(render.pk) == 1 else "others come first."


def _functions(render: Render) -> str:
    return f"{render.slots_needed:,} function{'' if render.slots_needed == 1 else 's'}"
