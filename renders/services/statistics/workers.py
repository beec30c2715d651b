"""Which workers run."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from renders.models import WorkerHeartbeat

MOST = 20
LATELY = timedelta(hours=1)
LAST_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Workers:
    """Workers of the last day, those that were heard of last first."""

    at: datetime
    known: list[WorkerHeartbeat]

    @property
    def alive(self) -> list[WorkerHeartbeat]:
        return [each for each in self.known if each.stopped_at is None and not each.is_lost(self.at)]

    @property
    def lost(self) -> list[WorkerHeartbeat]:
        """Those that were killed, or could not reach the database any more, in the last hour."""
        return [each for each in self.known if each.is_lost(self.at) and self.at - each.seen_at < LATELY]

    @property
    def are_rounds(self) -> bool:
        """Whether the work is done in rounds, as from cron, the last of them in the last hour."""
        if not self.known or self.alive:
            return False
        return not self.known[0].is_continuous and self.at - self.known[0].seen_at < LATELY


def workers() -> Workers:
    now = timezone.now()
    known = WorkerHeartbeat.objects.filter(seen_at__gte=now - LAST_DAY).order_by("-seen_at")
    return Workers(at=now, known=list(known[:MOST]))
