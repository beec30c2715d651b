"""The worker: a process that starts queued renders, refreshes active ones, finds lost ones and delivers webhooks."""

import contextlib
import fcntl
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from typing import TypeVar

from django.db import Error as DjangoDatabaseError
from django.db import close_old_connections, connection

from renders.models import Render, channels
from renders.remotion.errors import RemotionError
from renders.services.dispatch import admit_next, dispatch_next, start_admitted
from renders.services.heartbeat import Heartbeat
from renders.services.log_throttle import LogThrottle
from renders.services.reconcile import reconcile
from renders.services.refresh.circuit_breaker import CircuitBreaker
from renders.services.refresh.engine import refresh_due
from renders.services.refresh.lease import seconds_until_due
from renders.services.webhooks.loop import WebhookLoop, wake_on_events

logger = logging.getLogger(__name__)
Result = TypeVar("Result")

DISPATCH_THREADS = 16
"""AWS takes a second or more to answer each start, and that of a still is answered when the still is rendered."""

REFRESH_THREADS = 2
"""While one waits for a bucket or the database, the other goes on."""

INTERVAL_SECONDS = 0.25
POSTGRESQL_INTERVAL_SECONDS = 1.0
"""Longer, because a notification wakes the worker. Not over a second: a render is due a second after its start."""

MIN_PAUSE_SECONDS = 0.05
"""Between two looks at rows that are due already, but that another process is claiming."""

RECONCILE_SECONDS = 10.0
"""Each reconciliation may request a page of the bucket."""

RETRY_SECONDS = 1.0
"""How long a thread waits after its part failed."""

STOP_SECONDS = 1.0
"""How long a thread may take to notice that the worker shall stop, besides the call under way."""


class WorkerFailed(Exception):
    """The worker cannot go on; the message says why."""


class Worker:
    """Threads that work until ``stop()``. Each keeps its database connection, as long as ``CONN_MAX_AGE`` allows."""

    def __init__(self, *, interval: float | None = None) -> None:
        """``interval`` is the longest time between two looks for work, in seconds."""
        default = POSTGRESQL_INTERVAL_SECONDS if connection.vendor == "postgresql" else INTERVAL_SECONDS
        self.interval = interval or default
        self.failures = 0
        self._stop = threading.Event()
        self._wake = threading.Event()
        """Set when a queued render may start that could not before."""
        self._probe = threading.Lock()
        self._breaker = CircuitBreaker()
        self._throttle = LogThrottle(logger)
        self._webhooks = WebhookLoop(throttle=self._throttle)
        self._heartbeat = Heartbeat()

    def stop(self) -> None:
        """End ``run()`` after the calls under way.

        A signal handler may call it: it interrupts the main thread, which never holds these events' locks.
        """
        self._stop.set()
        self._wake.set()
        self._webhooks.wake()

    def run(self) -> None:
        """Work until ``stop()``. Raise WorkerFailed."""
        loops = [partial(self._repeat, self._dispatch) for _ in range(DISPATCH_THREADS)]
        loops += [partial(self._repeat, self._refresh) for _ in range(REFRESH_THREADS)]
        loops.append(partial(self._repeat, self._reconcile, retry_after=RECONCILE_SECONDS))
        loops.append(partial(self._repeat, self._deliver_webhooks))
        loops.append(partial(self._repeat, self._write_heartbeat))
        if connection.vendor == "postgresql":
            loops.append(partial(self._repeat, self._listen))
            loops.append(partial(self._repeat, self._listen_for_events))
        with _alone_on_sqlite(), ThreadPoolExecutor(len(loops)) as threads:
            logger.info("The worker has started.")
            running = [threads.submit(loop) for loop in loops]
            while not self._stop.is_set():
                ended = wait(running, timeout=STOP_SECONDS, return_when=FIRST_COMPLETED).done
                self._throttle.flush()
                if ended and not self._stop.is_set():
                    self.stop()
                    raise WorkerFailed(f"A thread of the worker has ended: {ended.pop().exception()!r}")
            logger.info("The worker stops after the calls under way.")
        self._attempt(self._heartbeat.stop)
        connection.close()
        self._throttle.flush(all_counts=True)
        logger.info("The worker has stopped.")

    def run_once(self) -> None:
        """Do one round. Raise WorkerFailed if a part of it failed."""
        self._heartbeat = Heartbeat(is_continuous=False)
        with _alone_on_sqlite():
            with ThreadPoolExecutor(DISPATCH_THREADS) as threads:
                for _ in range(DISPATCH_THREADS):
                    threads.submit(self._dispatch_all)
            for part in (self._reconcile, self._refresh, self._deliver_webhooks_once):
                if not self._stop.is_set():
                    self._attempt(part)
            self._attempt(self._heartbeat.stop)
        self._throttle.flush(all_counts=True)
        if self.failures:
            raise WorkerFailed("A part of the round failed.")

    def _repeat(self, part: Callable[[], float], *, retry_after: float = RETRY_SECONDS) -> None:
        """Run a part until ``stop()``; it returns how many seconds to wait before its next run."""
        try:
            while not self._stop.is_set():
                close_old_connections()
                pause = self._attempt(part)
                self._stop.wait(retry_after if pause is None else pause)
        finally:
            connection.close()

    def _attempt(self, part: Callable[[], Result]) -> Result | None:
        """Run a part and return its result; if it failed, log that, and return None."""
        try:
            return part()
        except (DjangoDatabaseError, RemotionError) as err:
            reason, exc_info = f"{type(err).__name__}: {' '.join(str(err).split())}", None
        except Exception as err:
            reason, exc_info = repr(err), err
        self.failures += 1
        message = f"{part.__name__.strip('_')} failed: {reason}"
        self._heartbeat.note_failure(message)
        self._throttle.log(logging.ERROR, message, exc_info=exc_info)
        return None

    def _write_heartbeat(self) -> float:
        """Write that the worker runs, on a thread of its own: no other part can delay it."""
        return self._heartbeat.beat()

    def _dispatch(self) -> float:
        """Start the next render.

        One thread at a time waits for it, so that a queue that waits for slots costs one probe each
        interval; while that thread starts the render, another waits for the one after.
        """
        with self._probe:
            render = self._next_admitted()
        if render:
            self._log_start(start_admitted(render))
        return 0

    def _next_admitted(self) -> Render | None:
        """Wait until a queued render may start, and return it, admitted; None if the worker is to stop."""
        while True:
            self._wake.clear()
            if self._stop.is_set():
                return None
            close_old_connections()
            if render := self._attempt(admit_next):
                return render
            self._wake.wait(self.interval)

    def _dispatch_all(self) -> None:
        """Start queued renders until no more may start."""
        try:
            while not self._stop.is_set() and (render := self._attempt(dispatch_next)):
                self._log_start(render)
        finally:
            connection.close()

    def _log_start(self, render: Render) -> None:
        """Log a start that is to be made again; ``dispatch`` and ``apply`` have logged the others."""
        if render.status == Render.Status.QUEUED:
            message = f"Render {render.id} is queued again: {render.error}"
            self._throttle.log(logging.WARNING, message, key=render.error, extra=render.log_fields)

    def _listen(self) -> float:
        """Wake the dispatching threads when a queued render may start. PostgreSQL only."""
        channels.listen(channels.DISPATCH)
        self._wake.set()  # for what came while nobody listened
        while not self._stop.is_set():
            if channels.wait_for_notification(seconds=STOP_SECONDS):
                self._wake.set()
        return 0

    def _listen_for_events(self) -> float:
        """Wake the thread that delivers webhooks when events are published. PostgreSQL only."""
        wake_on_events(self._webhooks.wake, is_stopped=self._stop.is_set)
        return 0

    def _deliver_webhooks(self) -> float:
        """Hand events on and deliver webhooks; at the end, wait for the requests under way."""
        while not self._stop.is_set():
            close_old_connections()
            self._webhooks.turn(interval=self.interval)
        self._webhooks.close()
        return 0

    def _deliver_webhooks_once(self) -> None:
        self._webhooks.run_once(is_stopped=self._stop.is_set)

    def _reconcile(self) -> float:
        result = reconcile(breaker=self._breaker, is_stopped=self._stop.is_set)
        for name, error in result.failures.items():
            self.failures += 1
            message = f"Unconfirmed renders could not be looked for in {name}: {error}"
            self._heartbeat.note_failure(message)
            self._throttle.log(logging.WARNING, message, extra={"bucket": name})
        if result.requests:
            self._throttle.log(logging.INFO, result.summary, key=reconcile)
        return RECONCILE_SECONDS

    def _refresh(self) -> float:
        """Refresh all rows that are due; return the seconds until the next one is, at most the interval."""
        while not self._stop.is_set():
            results = refresh_due(self._breaker, self._stop.is_set)
            if not results:
                break
            unread = Counter((result.render.bucket_name, str(result.error)) for result in results if result.error)
            for (bucket_name, reason), count in unread.items():
                message = f"{bucket_name} could not be read: {reason}"
                self._heartbeat.note_failure(message)
                self._throttle.log(logging.WARNING, message, count=count, extra={"bucket": bucket_name})
        due_in = seconds_until_due(self._breaker.open_buckets())
        return self.interval if due_in is None else min(self.interval, max(MIN_PAUSE_SECONDS, due_in))


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
