"""The worker: a process that starts queued renders, refreshes active ones, and reconciles unconfirmed ones."""

import contextlib
import fcntl
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from pathlib import Path

from django.db import DatabaseError, close_old_connections, connection
from django.utils import timezone

from renders.models import Render
from renders.remotion.errors import RemotionError
from renders.services.dispatch import dispatch_next
from renders.services.reconcile import reconcile
from renders.services.refresh.circuit_breaker import CircuitBreaker
from renders.services.refresh.engine import refresh_due

logger = logging.getLogger(__name__)

DISPATCH_THREADS = 8
REFRESH_THREADS = 2
"""While one waits for a bucket or the database, the other goes on."""

RECONCILE_EVERY = timedelta(seconds=10)
"""Each reconciliation may request a page of the bucket."""


class WorkerFailed(Exception):
    """The worker cannot go on; the message says why."""


class Worker:
    """Runs until ``stop`` is set. ``say`` and ``complain`` take one line each."""

    def __init__(self, *, interval: float, say: Callable[[str], object], complain: Callable[[str], object]) -> None:
        self.interval = interval
        self.say = say
        self.complain = complain
        self.stop = threading.Event()
        self.failures = 0
        self._breaker = CircuitBreaker()
        self._starts: list[Future[None]] = []

    def run(self) -> None:
        """Work until ``stop`` is set. Raise WorkerFailed."""
        with (
            _alone_on_sqlite(),
            ThreadPoolExecutor(DISPATCH_THREADS) as self._dispatchers,
            ThreadPoolExecutor(REFRESH_THREADS) as refreshers,
        ):
            refreshing = [refreshers.submit(self._refresh_until_stopped) for _ in range(REFRESH_THREADS)]
            reconcile_at = timezone.now()
            while not self.stop.is_set():
                if any(thread.done() for thread in refreshing):
                    self.stop.set()
                    raise WorkerFailed("A thread that refreshes has ended; the log says why.")
                self._try(self._dispatch_queued)
                if timezone.now() >= reconcile_at:
                    self._try(self._reconcile)
                    reconcile_at = timezone.now() + RECONCILE_EVERY
                close_old_connections()
                self.stop.wait(self.interval)

    def run_once(self) -> None:
        """Do one round. Raise WorkerFailed if a part of it failed."""
        with _alone_on_sqlite(), ThreadPoolExecutor(DISPATCH_THREADS) as self._dispatchers:
            self._try(self._dispatch_queued)
            wait(self._starts)
            self._try(self._reconcile)
            self._try(self._refresh)
        if self.failures:
            raise WorkerFailed("A part of the round failed.")

    def _try(self, part: Callable[[], None]) -> None:
        """Run one part of a round; its failure does not keep the others, or the next round, from running."""
        if self.stop.is_set():
            return
        try:
            part()
        except (DatabaseError, RemotionError) as err:
            self.failures += 1
            self.complain(f"{type(err).__name__}: {err}")
        except Exception:
            self.failures += 1
            logger.exception("A part of the worker's round failed.")

    def _dispatch_queued(self) -> None:
        """Let each free thread start queued renders: AWS takes a second or more to answer each start."""
        self._starts = [start for start in self._starts if not start.done()]
        if Render.objects.queued().exists():
            free = DISPATCH_THREADS - len(self._starts)
            self._starts += [self._dispatchers.submit(self._try, self._dispatch) for _ in range(free)]

    def _dispatch(self) -> None:
        try:
            while not self.stop.is_set() and (render := dispatch_next()):
                self.say(f"{render.id}: {render.status}{f' ({render.error})' if render.error else ''}")
                if render.status == Render.Status.QUEUED:
                    return  # nothing can be started now
        finally:
            connection.close()

    def _reconcile(self) -> None:
        result = reconcile(is_stopped=self.stop.is_set)
        for name, error in result.failures.items():
            self.failures += 1
            self.complain(f"Unconfirmed renders could not be looked for in {name}: {error}")
        if result.unconfirmed:
            self.say(result.summary)

    def _refresh_until_stopped(self) -> None:
        while not self.stop.is_set():
            self._try(self._refresh)
            close_old_connections()
            self.stop.wait(self.interval)
        connection.close()

    def _refresh(self) -> None:
        while not self.stop.is_set():
            began = timezone.now()
            results = refresh_due(self._breaker, self.stop.is_set)
            if not results:
                return
            unread: Counter[str] = Counter()
            for result in results:
                if result.error:
                    unread[f"{result.render.bucket_name}: {result.error}"] += 1
                elif result.render.finished_at and result.render.finished_at > began:
                    self.say(f"{result.render.id}: {result.render.status} {result.render.error}".strip())
            for reason, count in unread.items():
                self.complain(f"{count} could not be read in {reason}")


@contextlib.contextmanager
def _alone_on_sqlite() -> Iterator[None]:
    """Allow one worker only on SQLite, which has no row locks by which several could share the work."""
    if connection.vendor != "sqlite":
        yield
        return
    with Path(f"{connection.settings_dict['NAME']}.worker").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            raise WorkerFailed(
                "A worker runs on this SQLite database already."
                " Several can share the work on PostgreSQL: set DATABASE_URL."
            ) from err
        yield
