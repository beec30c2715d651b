import contextlib
import fcntl
import logging
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError, close_old_connections, connection
from django.utils import timezone

from renders import services
from renders.management.arguments import positive_float
from renders.management.base import DatabaseCommand
from renders.models import Render
from renders.remotion.errors import RemotionError

logger = logging.getLogger(__name__)

STARTERS = 8
READERS = 2
"""Threads that refresh: while one waits for a bucket or the database, the other goes on."""

ADOPT_EVERY = timedelta(seconds=10)
"""Between two searches for renders in doubt: each may ask S3 for a page of the bucket."""


class Command(DatabaseCommand):
    help = "Starts the renders that wait, refreshes the active ones, and finds those in doubt."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="One round, for cron.")
        parser.add_argument(
            "--interval",
            type=positive_float,
            default=0.25,
            metavar="SECONDS",
            help="Between two looks for work (0.25).",
        )

    def handle(self, *args: Any, once: bool, interval: float, **options: Any) -> None:
        self.stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stop.set())
        self.starts: list[Future[None]] = []
        self.backoff = services.Backoff()
        self.failures = 0
        with _alone_on_sqlite(), ThreadPoolExecutor(STARTERS) as self.starters, ThreadPoolExecutor(READERS) as readers:
            if once:
                self._try(self._start_waiting)
                wait(self.starts)
                self._try(self._adopt)
                self._try(self._refresh)
                if self.failures:
                    raise CommandError("A part of the round failed.")
                return
            reading = [readers.submit(self._refresh_until_stopped, interval) for _ in range(READERS)]
            adopt_at = timezone.now()
            while not self.stop.is_set():
                if any(reader.done() for reader in reading):
                    self.stop.set()
                    raise CommandError("A thread that reads has ended; the log says why.")
                self._try(self._start_waiting)
                if timezone.now() >= adopt_at:
                    self._try(self._adopt)
                    adopt_at = timezone.now() + ADOPT_EVERY
                close_old_connections()
                self.stop.wait(interval)
        self.stdout.write("Stopped.")

    def _try(self, part: Callable[..., None], *arguments: Any) -> None:
        """Whatever goes wrong in one part of a round, the others and the next round come."""
        if self.stop.is_set():
            return
        try:
            part(*arguments)
        except (DatabaseError, RemotionError) as err:
            self.failures += 1
            self.stderr.write(f"{type(err).__name__}: {err}")
        except Exception:
            self.failures += 1
            logger.exception("A part of the worker's round failed.")

    def _start_waiting(self) -> None:
        """Lets each free thread start what waits: AWS takes a second or more to answer each."""
        self.starts = [start for start in self.starts if not start.done()]
        if Render.objects.waiting().exists():
            free = STARTERS - len(self.starts)
            self.starts += [self.starters.submit(self._try, self._dispatch) for _ in range(free)]

    def _dispatch(self) -> None:
        try:
            while not self.stop.is_set() and (render := services.dispatch_next()):
                self.stdout.write(f"{render.id}: {render.status}{f' ({render.error})' if render.error else ''}")
                if render.status == Render.Status.QUEUED:
                    return  # nothing can be started now
        finally:
            connection.close()

    def _adopt(self) -> None:
        adoption = services.adopt_in_doubt(is_stopped=self.stop.is_set)
        if adoption.in_doubt:
            self.stdout.write(adoption.summary)

    def _refresh_until_stopped(self, interval: float) -> None:
        while not self.stop.is_set():
            self._try(self._refresh)
            close_old_connections()
            self.stop.wait(interval)
        connection.close()

    def _refresh(self) -> None:
        while not self.stop.is_set():
            began = timezone.now()
            results = services.refresh_due(self.backoff, self.stop.is_set)
            if not results:
                return
            unread: Counter[str] = Counter()
            for result in results:
                if result.error:
                    unread[f"{result.render.bucket_name}: {result.error}"] += 1
                elif result.render.finished_at and result.render.finished_at > began:
                    self.stdout.write(f"{result.render.id}: {result.render.status} {result.render.error}".strip())
            for said, count in unread.items():
                self.stderr.write(f"{count} could not be read in {said}")


@contextlib.contextmanager
def _alone_on_sqlite() -> Iterator[None]:
    """SQLite has no row locks to share work by, so only one worker may run on it."""
    if connection.vendor != "sqlite":
        yield
        return
    with Path(f"{connection.settings_dict['NAME']}.worker").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            raise CommandError(
                "A worker runs on this SQLite database already."
                " Several can share the work on PostgreSQL: set DATABASE_URL."
            ) from err
        yield
