"""How it is now: what runs, what waits, which slots are in use."""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, Sum
from django.utils import timezone

from renders.models import Render


@dataclass(frozen=True)
class Current:
    """Renders that are active, and slots."""

    rendering: int
    submitting: int
    queued: int
    oldest_queued: Render | None
    slots_by_region: dict[str, int]
    """Slots in use; regions with none are left out."""
    slots: int
    """How many may be in use, over all regions."""

    @property
    def slots_used(self) -> int:
        return sum(self.slots_by_region.values())


def current() -> Current:
    """Return how it is now, in three queries that read active renders only."""
    renders, statuses = Render.objects, Render.Status
    counts = dict(renders.active().order_by().values_list("status").annotate(Count("pk")))
    used = renders.using_slots(timezone.now()).order_by().values_list("region").annotate(Sum("slots_needed"))
    queued = renders.with_status(statuses.QUEUED).order_by("created_at", "id")
    return Current(
        rendering=counts.get(statuses.RENDERING, 0),
        submitting=counts.get(statuses.SUBMITTING, 0),
        queued=counts.get(statuses.QUEUED, 0),
        oldest_queued=queued.only("created_at", "render_id").first() if statuses.QUEUED in counts else None,
        slots_by_region=dict(used),
        slots=settings.REMOTION_CONCURRENCY,
    )
