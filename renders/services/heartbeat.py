"""A worker's heartbeat: that it runs, and what failed last, for whoever looks at the dashboard."""

import os
import socket
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from renders.models import WorkerHeartbeat

INTERVAL_SECONDS = 5.0
KEEP_FOR = timedelta(days=1)
"""How long the row of a worker that has ended is kept."""


class Heartbeat:
    """The row of one worker. ``note_failure()`` may be called by any thread; it does not use the database."""

    def __init__(self, *, is_continuous: bool = True) -> None:
        self._row = WorkerHeartbeat(host=socket.gethostname(), pid=os.getpid(), is_continuous=is_continuous)

    def note_failure(self, message: str) -> None:
        """Tell at the next beat that a part of the work failed."""
        self._row.failures += 1
        self._row.last_failure, self._row.last_failure_at = message, timezone.now()

    def beat(self) -> float:
        """Write that the worker runs, and return the seconds until the next beat."""
        self._row.seen_at = timezone.now()
        if self._row._state.adding:
            self._delete_old()
        with transaction.atomic():
            self._row.save()
        return INTERVAL_SECONDS

    def stop(self) -> None:
        """Write that the worker ends."""
        self._row.stopped_at = timezone.now()
        self.beat()

    def _delete_old(self) -> None:
        WorkerHeartbeat.objects.filter(seen_at__lt=timezone.now() - KEEP_FOR).delete()
