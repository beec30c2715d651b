"""The worker's part: hand events on and deliver messages, with one connection to the database."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from uuid import UUID

from django.db import DatabaseError, connection
from django.utils import timezone

from renders.models import WebhookMessage, channels
from renders.services.log_throttle import LogThrottle
from renders.services.webhooks.delivery import SLOW_SECONDS, Attempt, claim_due, counted, send, store
from renders.services.webhooks.fan_out import BATCH_SIZE, hand_on

logger = logging.getLogger(__name__)

THREADS = 96
"""Requests at a time. The threads only send: the one that runs the loop asks the database."""

LISTEN_SECONDS = 1.0


class WebhookLoop:
    """Delivers messages, turn by turn, on the thread that calls it.

    What was sent and could not be stored is kept for the next turn. If the process dies, it is sent again when its
    lease ends: a message comes at least once.
    """

    def __init__(self, *, throttle: LogThrottle) -> None:
        self._throttle = throttle
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="webhook")
        self._sending: dict[Future[Attempt], WebhookMessage] = {}
        self._unsaved: list[Attempt] = []
        self._slow: set[UUID] = set()
        """Endpoints whose last request was slow."""
        self._wake = threading.Event()

    def wake(self) -> None:
        """Let the turn that waits go on."""
        self._wake.set()

    def turn(self, *, interval: float) -> None:
        """Do what there is to do, then wait for more, at most ``interval`` seconds."""
        self._wake.clear()
        self._store_sent()
        has_more = hand_on() == BATCH_SIZE
        self._claim(at=timezone.now())
        if not has_more:
            self._wake.wait(self._pause(interval))

    def run_once(self, *, is_stopped: Callable[[], bool]) -> None:
        """Hand on all events, and send each message that is due now once."""
        while not is_stopped() and hand_on():
            pass
        at = timezone.now()
        while not is_stopped():
            self._wake.clear()
            self._store_sent()
            self._claim(at=at)
            if not self._sending:
                break
            self._wake.wait()
        self.close()

    def close(self) -> None:
        """Wait for the requests under way, and store what came of them."""
        self._threads.shutdown(wait=True)
        self._store_sent()

    def _claim(self, *, at: datetime) -> None:
        """Claim as many messages as threads are free, and send them."""
        if (room := THREADS - len(self._sending)) <= 0:
            return
        in_flight: Counter[UUID] = Counter(message.endpoint_id for message in self._sending.values())
        for message in claim_due(at=at, in_flight=in_flight, slow=self._slow, limit=room):
            future = self._threads.submit(send, message)
            self._sending[future] = message
            future.add_done_callback(lambda _: self._wake.set())

    def _store_sent(self) -> None:
        """Store the attempts that have ended. Raise what one of them raised, after the others are stored."""
        ended = [future for future in self._sending if future.done()]
        failures = [failure for future in ended if (failure := future.exception())]
        for future in ended:
            del self._sending[future]
            if not future.exception():
                self._note(future.result())
        if attempts := self._unsaved:
            self._store_unsaved()
            self._log(attempts)
        if failures:
            raise failures[0]

    def _store_unsaved(self) -> None:
        """Store attempts; raise DatabaseError, and keep them. One that cannot be stored keeps no other from it."""
        try:
            store(self._unsaved)
            self._unsaved = []
        except DatabaseError:
            raise
        except Exception:
            logger.exception("Attempts to deliver webhooks could not be stored at once; they are stored one by one.")
            while self._unsaved:
                _store_one(self._unsaved[0])
                self._unsaved = self._unsaved[1:]

    def _note(self, attempt: Attempt) -> None:
        self._unsaved.append(attempt)
        if attempt.outcome.duration > SLOW_SECONDS:
            self._slow.add(attempt.message.endpoint_id)
        else:
            self._slow.discard(attempt.message.endpoint_id)

    def _log(self, attempts: Iterable[Attempt]) -> None:
        for error, count in counted(attempts).items():
            self._throttle.log(logging.INFO, f"A webhook was not delivered: {error}", count=count)

    def _pause(self, interval: float) -> float:
        """Return the seconds until the next message is due, or until the next look if that is sooner.

        While requests are under way, their ends wake the loop. What is due and was not claimed waits for another.
        """
        if self._sending:
            return interval
        now = timezone.now()
        waits = [(due - now).total_seconds() for due in WebhookMessage.objects.next_due().values() if due > now]
        return min([interval, *waits])


def _store_one(attempt: Attempt) -> None:
    """Store an attempt; one that cannot be is only logged, and made again when its lease ends."""
    try:
        store([attempt])
    except DatabaseError:
        raise
    except Exception:
        logger.exception("The attempt to deliver %s could not be stored.", attempt.message)


def wake_on_events(wake: Callable[[], None], *, is_stopped: Callable[[], bool]) -> None:
    """Call ``wake`` whenever events are published, until ``is_stopped()``. PostgreSQL only."""
    if connection.vendor != "postgresql":
        return
    channels.listen(channels.EVENTS)
    wake()  # for what came while nobody listened
    while not is_stopped():
        if channels.wait_for_notification(seconds=LISTEN_SECONDS):
            wake()
