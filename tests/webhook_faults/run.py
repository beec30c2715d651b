"""One run: publish, deliver, kill, compare."""

import os
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from renders.models import Event, Render, WebhookEndpoint, WebhookMessage
from renders.services.events.publish import publish
from renders.services.webhooks.delivery import LEASE
from renders.services.webhooks.secrets import secret_of
from tests.factories import make_render
from tests.webhook_faults.receiver import Receiver

LIFE = (Event.Type.QUEUED, Event.Type.STARTED, Event.Type.PROGRESSED, Event.Type.SUCCEEDED)
"""What happens to each render."""

AT_A_TIME = 50
"""Renders whose events are published in one transaction."""

TIME_LIMIT_SECONDS = 1800


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def run(*, events: int, kills: int, folder: Path) -> bool:
    """Print the table, and return whether nothing was lost, forged or out of order."""
    call_command("migrate", verbosity=0)
    if Render.objects.exists():
        raise SystemExit("This database has renders in it: give an empty one.")
    owner = User.objects.create_user("ada")
    started = time.monotonic()
    with Receiver() as receiver:
        endpoint = WebhookEndpoint.objects.create(owner=owner, url=receiver.url, events=list(Event.Type.values))
        receiver.secret = secret_of(endpoint)
        publisher = threading.Thread(target=_publish, args=(owner, events // len(LIFE)), daemon=True)
        publisher.start()
        with Worker(folder).running() as worker:
            _kill(worker, receiver, kills=kills, expected=events)
            publisher.join()
            _settle()
        return _report(receiver, kills=kills, seconds=time.monotonic() - started)


def _publish(owner: User, renders: int) -> None:
    """Publish the events of so many renders, as transactions that change renders do."""
    try:
        for first in range(0, renders, AT_A_TIME):
            count = min(AT_A_TIME, renders - first)
            rows = [make_render(Render.Status.SUCCEEDED, owner=owner) for _ in range(count)]
            for type_ in LIFE:
                with transaction.atomic():
                    publish({row.pk: [type_] for row in rows})
    finally:
        connection.close()


class Worker:
    """``render_worker`` as a process."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "worker.log"
        self._process: subprocess.Popen[bytes] | None = None

    @contextmanager
    def running(self) -> Iterator["Worker"]:
        self.start()
        try:
            yield self
        finally:
            self.kill()

    def start(self) -> None:
        with self._log.open("ab") as log:
            command = [sys.executable, "manage.py", "render_worker"]
            self._process = subprocess.Popen(
                command, cwd=settings.BASE_DIR, env=dict(os.environ), stdout=log, stderr=log
            )

    def kill(self) -> None:
        """``kill -9``."""
        if self._process:
            self._process.kill()
            self._process.wait()


def _kill(worker: Worker, receiver: Receiver, *, kills: int, expected: int) -> None:
    """Kill the worker whenever another part of the messages has been accepted, and start it again."""
    for number in range(1, kills + 1):
        _wait_until_accepted(receiver, expected * number // (kills + 1))
        worker.kill()
        say(f"killed the worker after {receiver.accepted:,} of {expected:,} messages")
        worker.start()


def _wait_until_accepted(receiver: Receiver, count: int) -> None:
    ends_at = time.monotonic() + TIME_LIMIT_SECONDS
    while receiver.accepted < count:
        if time.monotonic() > ends_at:
            raise SystemExit(f"Only {receiver.accepted:,} messages were accepted.")
        _hasten_retries()
        time.sleep(0.05)


def _settle() -> None:
    """Wait until all events were handed on and every message has ended."""
    ends_at = time.monotonic() + TIME_LIMIT_SECONDS
    while time.monotonic() < ends_at:
        if WebhookMessage.objects.count() == Event.objects.count() and not WebhookMessage.objects.pending().exists():
            return
        _hasten_retries()
        time.sleep(0.5)


def _hasten_retries() -> None:
    """Make due what waits longer than a lease: its second retry, and those after it."""
    waiting = WebhookMessage.objects.pending().filter(next_attempt_at__gt=timezone.now() + LEASE + timedelta(seconds=5))
    waiting.update(next_attempt_at=timezone.now())


def _report(receiver: Receiver, *, kills: int, seconds: float) -> bool:
    published = {str(message): message for message in WebhookMessage.objects.order_by("id")}
    accepted = Counter(arrival.message_id for arrival in receiver.arrivals if arrival.is_accepted)
    lost = published.keys() - accepted.keys()
    disordered = _disordered(receiver)
    statuses = Counter(message.status for message in published.values())
    rows = {
        "events": Event.objects.count(),
        "messages": len(published),
        "requests": len(receiver.arrivals),
        "answered with 500": len(receiver.arrivals) - receiver.accepted,
        "worker killed": kills,
        "accepted once": sum(count == 1 for count in accepted.values()),
        "accepted more than once": sum(count > 1 for count in accepted.values()),
        "lost": len(lost),
        "stored as delivered": statuses[WebhookMessage.Status.DELIVERED],
        "wrong signatures": receiver.forged,
        "renders out of order": disordered,
        "seconds": round(seconds),
    }
    say(f"\n| {connection.vendor} | |\n| --- | --- |")
    for name, value in rows.items():
        say(f"| {name} | {value:,} |")
    is_all_told = len(published) == Event.objects.count()
    return is_all_told and not lost and not receiver.forged and not disordered


def _disordered(receiver: Receiver) -> int:
    """Return the number of renders whose messages did not come in order, each counted by its first request."""
    first: dict[str, dict[str, None]] = defaultdict(dict)
    for arrival in receiver.arrivals:
        first[arrival.render_id].setdefault(arrival.type, None)
    order = {type_: number for number, type_ in enumerate(LIFE)}
    return sum(list(types) != sorted(types, key=lambda type_: order[Event.Type(type_)]) for types in first.values())
