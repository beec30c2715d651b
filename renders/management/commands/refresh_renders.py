import signal
import threading
from collections import Counter
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from renders.management.arguments import positive_float, positive_int
from renders.management.base import DatabaseCommand
from renders.models import RefreshState, Render, RenderQuerySet
from renders.services.reconcile import reconcile
from renders.services.refresh.engine import refresh_renders
from renders.services.refresh.lease import FIELDS


class Command(DatabaseCommand):
    help = "Refreshes the rows of active renders from S3."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--id", action="append", dest="ids", metavar="ID", help="Our id or a renderId; may be given again."
        )
        parser.add_argument("--limit", type=positive_int, metavar="N", help="At most N renders, the oldest first.")
        parser.add_argument(
            "--watch",
            type=positive_float,
            metavar="SECONDS",
            help="Refresh again after so many seconds, until Ctrl-C or SIGTERM.",
        )

    def handle(self, *args: Any, ids: list[str] | None, limit: int | None, watch: float | None, **options: Any) -> None:
        stop = threading.Event()
        if watch:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: stop.set())
        chosen = _choose(ids)
        while True:
            try:
                failed = self._refresh(chosen.all()[:limit], stop)
            except DatabaseError as err:
                if not watch:
                    raise
                self.stderr.write(f"The database does not answer ({err}); trying again.")
            if not watch:
                break
            close_old_connections()
            if stop.wait(watch):
                self.stdout.write("Stopped.")
                return
        if failed:
            raise CommandError(f"{failed} could not be refreshed.")

    def _refresh(self, renders: RenderQuerySet, stop: threading.Event) -> int:
        counts: Counter[str] = Counter()
        failed = self._reconcile()
        # Read to the end first: an open cursor keeps SQLite from writing once another process has written.
        for result in refresh_renders(list(renders), stop.is_set):
            if result.error:
                failed += 1
                self.stderr.write(f"{result.render.id}: {result.error}")
            else:
                counts[result.render.status] += 1
            if stop.is_set():
                break
        said = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
        self.stdout.write(f"Refreshed {counts.total()}{f': {said}' if said else ''}.")
        return failed

    def _reconcile(self) -> int:
        """Reconcile first, so that a render that can be found is not presumed lost. Return how much failed."""
        result = reconcile()
        for name, error in result.failures.items():
            self.stderr.write(f"Unconfirmed renders could not be looked for in {name}: {error}")
        if result.unconfirmed:
            self.stdout.write(result.summary)
        return len(result.failures)


def _choose(ids: list[str] | None) -> RenderQuerySet:
    """Return the renders to refresh. Raise CommandError for an id that no render has."""
    if not ids:
        return RefreshState.objects.refreshable_renders(timezone.now()).order_by("created_at").only(*FIELDS)
    missing = [text for text in ids if not Render.objects.matching_id(text).exists()]
    if missing:
        raise CommandError(f"There is no render {', '.join(missing)}.")
    return Render.objects.matching_id(*ids).order_by("created_at").only(*FIELDS)
