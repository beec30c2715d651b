import contextlib
import fcntl
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, close_old_connections, connection

from renders import services
from renders.management.arguments import positive_float
from renders.models import Render
from renders.remotion.errors import RemotionError

BATCH = 100
STARTERS = 8
ADOPT_EVERY = 10
"""Rounds between two searches for renders in doubt: each may ask S3 for a page of the bucket."""


class Command(BaseCommand):
    help = "Starts the renders that wait, refreshes the active ones, and finds those in doubt."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="One round, for cron.")
        parser.add_argument(
            "--interval", type=positive_float, default=1.0, metavar="SECONDS", help="Between two rounds (1)."
        )

    def handle(self, *args: Any, once: bool, interval: float, **options: Any) -> None:
        self.stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stop.set())
        with _alone_on_sqlite():
            rounds = 0
            while True:
                self._round(every=timedelta(seconds=interval), adopt=rounds % ADOPT_EVERY == 0)
                rounds += 1
                if once or self.stop.wait(interval):
                    break
        if not once:
            self.stdout.write("Stopped.")

    def _round(self, *, every: timedelta, adopt: bool) -> None:
        try:
            with ThreadPoolExecutor(STARTERS) as starters:
                list(starters.map(lambda _: self._dispatch(), range(STARTERS)))
            if adopt:
                self._adopt()
            self._refresh(every)
        except (DatabaseError, RemotionError) as err:
            # Whatever it was, the next round comes.
            self.stderr.write(f"{type(err).__name__}: {err}")
        close_old_connections()

    def _dispatch(self) -> None:
        """Runs in a thread of its own: AWS takes a second or more to answer each start."""
        try:
            while not self.stop.is_set() and (render := services.dispatch_next()):
                self.stdout.write(f"{render.id}: {render.status}{f' ({render.error})' if render.error else ''}")
                if render.status == Render.Status.QUEUED:
                    return  # AWS has no room either
        finally:
            connection.close()

    def _adopt(self) -> None:
        adoption = services.adopt_in_doubt()
        if adoption.in_doubt:
            self.stdout.write(adoption.summary)

    def _refresh(self, every: timedelta) -> None:
        while not self.stop.is_set() and (renders := services.claim_due(limit=BATCH, every=every)):
            unread = []
            for result in services.refresh_renders(renders):
                if result.error:
                    self.stderr.write(f"{result.render.id}: {result.error}")
                    unread.append(result.render)
                elif result.render.is_terminal:
                    self.stdout.write(f"{result.render.id}: {result.render.status} {result.render.error}".strip())
                if self.stop.is_set():
                    break
            services.release(renders, unread=unread)
            if len(renders) < BATCH:
                return


@contextlib.contextmanager
def _alone_on_sqlite() -> Iterator[None]:
    """SQLite has no row locks to share work by, so only one worker may run on it."""
    name = connection.settings_dict["NAME"]
    if connection.vendor != "sqlite" or "memory" in str(name):
        yield
        return
    with Path(f"{name}.worker").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            raise CommandError(
                "A worker runs on this SQLite database already."
                " Several can share the work on PostgreSQL: set DATABASE_URL."
            ) from err
        yield
