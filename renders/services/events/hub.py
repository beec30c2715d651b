"""Tell those who follow events in this process: one thread reads the database for all of them.

However many follow, a tick asks one query for stored events, and each second one for the progress of
followed renders. On PostgreSQL a notification brings the tick forward; on SQLite it comes each half second.
"""

import asyncio
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from uuid import UUID

from django.db import connection

from renders.models import channels
from renders.services.events.access import lost_access
from renders.services.events.news import News, Topic, newest_event_id, stored_after
from renders.services.events.subscription import Subscription
from renders.services.events.watched import WatchedRenders
from renders.services.log_throttle import LogThrottle

log_throttle = LogThrottle(logging.getLogger(__name__))

TICK_SECONDS = 1.0
SQLITE_TICK_SECONDS = 0.5
MIN_PAUSE_SECONDS = 0.02
"""Between two ticks: notifications that come together are one query."""

PROGRESS_SECONDS = 1.0
WATCHED_SECONDS = 4.0
"""A render counts as watched for ten seconds."""

ACCESS_SECONDS = 10.0
IDLE_SECONDS = 10.0
"""How long the thread keeps its connection when nobody follows any more."""

RETRY_SECONDS = 1.0
BATCH = 1000


class Hub:
    """Subscriptions of this process, and the thread that serves them while there are any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscriptions: dict[Topic, set[Subscription]] = defaultdict(set)
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._is_stopped = False
        self._last_id = 0
        self._followed_at = 0.0
        self._watched = WatchedRenders()
        self._done_at: dict[str, float] = {}

    def subscribe(self, subscription: Subscription) -> None:
        """Tell it of every event that is committed from now on; call it in a thread that may ask the database."""
        with self._lock:
            if self._thread is None:
                self._last_id = newest_event_id()
                self._is_stopped, self._followed_at = False, time.monotonic()
                self._wake.clear()
                self._thread = threading.Thread(target=self._run, name="events", daemon=True)
                self._thread.start()
            self._subscriptions[subscription.topic].add(subscription)
            self._done_at.pop(self._keep_watched.__name__, None)  # it counts as watched from the next tick on

    def unsubscribe(self, subscription: Subscription) -> None:
        """Forget the subscription; nothing happens if that was done."""
        with self._lock:
            followers = self._subscriptions.get(subscription.topic, set())
            followers.discard(subscription)
            if not followers:
                self._subscriptions.pop(subscription.topic, None)

    def stop(self) -> None:
        """End the thread and close its connection."""
        thread, self._is_stopped = self._thread, True
        self._wake.set()
        if thread:
            thread.join()

    def _run(self) -> None:
        try:
            while not self._is_over():
                try:
                    self._serve()
                except Exception as err:
                    message = f"Events cannot be read: {' '.join(str(err).split())}"
                    log_throttle.log(logging.ERROR, message, key=type(err).__name__, exc_info=err)
                    connection.close()
                    time.sleep(RETRY_SECONDS)
        finally:
            connection.close()

    def _serve(self) -> None:
        if connection.vendor == "postgresql":
            channels.listen(channels.EVENTS)
        while not self._is_over():
            self._tick()
            time.sleep(MIN_PAUSE_SECONDS)
            self._wait()

    def _wait(self) -> None:
        if connection.vendor == "postgresql":
            channels.wait_for_notification(seconds=TICK_SECONDS)
        else:
            self._wake.wait(SQLITE_TICK_SECONDS)

    def _is_over(self) -> bool:
        """Return whether the thread is to end; the next subscription starts another one."""
        with self._lock:
            if self._subscriptions:
                self._followed_at = time.monotonic()
            is_idle = not self._subscriptions and time.monotonic() - self._followed_at > IDLE_SECONDS
            is_over = self._is_stopped or is_idle
            if is_over:
                self._thread = None
            return is_over

    def _tick(self) -> None:
        while news := stored_after(self._last_id, limit=BATCH):
            self._tell(news)
            self._last_id = news[-1].id or self._last_id
        self._every(PROGRESS_SECONDS, self._tell_progress)
        self._every(WATCHED_SECONDS, self._keep_watched)
        self._every(ACCESS_SECONDS, self._end_without_access)

    def _every(self, seconds: float, work: Callable[[], None]) -> None:
        now = time.monotonic()
        if now - self._done_at.get(work.__name__, 0) >= seconds:
            self._done_at[work.__name__] = now
            work()

    def _tell_progress(self) -> None:
        if render_ids := self._followed_renders():
            self._tell(self._watched.progressed(render_ids))

    def _keep_watched(self) -> None:
        if render_ids := self._followed_renders():
            self._watched.keep_watched(render_ids)

    def _followed_renders(self) -> list[UUID]:
        with self._lock:
            return [key for kind, key in self._subscriptions if kind == "render" and isinstance(key, UUID)]

    def _end_without_access(self) -> None:
        with self._lock:
            subscriptions = [item for followers in self._subscriptions.values() for item in followers]
        lost = lost_access(item.access for item in subscriptions)
        for subscription in subscriptions:
            if subscription.access in lost:
                _call(subscription.loop, subscription.end)

    def _tell(self, news: Iterable[News]) -> None:
        told: dict[Subscription, list[News]] = defaultdict(list)
        with self._lock:
            for item in news:
                for topic in item.topics:
                    for subscription in self._subscriptions.get(topic, ()):
                        if subscription.takes(item):
                            told[subscription].append(item)
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Subscription, list[News]]]] = defaultdict(list)
        for subscription, items in told.items():
            by_loop[subscription.loop].append((subscription, items))
        for loop, deliveries in by_loop.items():
            _call(loop, partial(_deliver, deliveries))


def _deliver(deliveries: list[tuple[Subscription, list[News]]]) -> None:
    for subscription, news in deliveries:
        subscription.put(news)


def _call(loop: asyncio.AbstractEventLoop, function: Callable[[], None]) -> None:
    """Call a function in the loop, unless it has been closed."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(function)


hub = Hub()
"""The one of this process."""
