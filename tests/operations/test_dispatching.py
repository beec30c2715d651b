"""When a worker starts what is queued, and what it costs while nothing may start: real processes."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from renders.models import Render, transitions
from renders.operations.worker import DISPATCH_THREADS
from renders.services.refresh.apply import change_render
from tests.factories import BUCKET, make_render
from tests.operations.processes import Workers, wait_until
from tests.servers import INVOKE, Answer, ScriptedServer

pytestmark = pytest.mark.django_db(transaction=True)
Status = Render.Status
LISTING = f"/{BUCKET}?list-type=2"


def is_rendering(render: Render) -> bool:
    return Render.objects.filter(pk=render.pk, status=Status.RENDERING).exists()


def query(statement: str) -> list[Any]:
    """Return the first column of the rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return [row[0] for row in cursor.fetchall()]


def test_a_slow_s3_in_reconciliation_holds_up_no_start(numbered: ScriptedServer, start_worker: Workers) -> None:
    numbered.answers[LISTING] = Answer(delay=30)  # longer than the worker waits for an answer
    make_render(Status.SUBMITTING, submitted_at=timezone.now() - timedelta(minutes=3), error="No answer.")
    start_worker()
    wait_until(lambda: numbered.count(LISTING))
    queued = make_render(Status.QUEUED)
    wait_until(lambda: is_rendering(queued))
    starts = [path for _, path, _ in numbered.requests if path.startswith((INVOKE, LISTING))]
    assert [path.startswith(INVOKE) for path in starts[:2]] == [False, True], "It waited for S3."


class TestPostgreSQL:
    @pytest.fixture(autouse=True)
    def only_on_postgresql(self) -> None:
        if connection.vendor != "postgresql":
            pytest.skip("SQLite has neither connections nor notifications.")

    @pytest.fixture
    def slow_start(self, numbered: ScriptedServer) -> None:
        """AWS takes a second to answer a start, many times as long as a look at the queue."""
        answer = numbered.answers[INVOKE]
        assert callable(answer)
        numbered.answers[INVOKE] = lambda: replace(answer(), delay=1)

    def listening(self) -> list[int]:
        return query(
            "SELECT pid FROM pg_stat_activity WHERE query = 'LISTEN renders_dispatch' AND datname = current_database()"
        )

    def sessions(self) -> int:
        (count,) = query("SELECT sessions FROM pg_stat_database WHERE datname = current_database()")
        return int(count)

    def test_a_queue_that_waits_for_slots_opens_no_connections(
        self, numbered: ScriptedServer, start_worker: Workers
    ) -> None:
        busy = make_render(slots_needed=200)
        for _ in range(3):
            make_render(Status.QUEUED)
        start_worker()
        read = f"/{BUCKET}/renders/{busy.render_id}/"
        wait_until(lambda: numbered.count(read) > 1)
        before = self.sessions()
        # It is read each second, while the queue is looked at five times.
        wait_until(lambda: numbered.count(read) > 5)
        assert self.sessions() - before < DISPATCH_THREADS

    def test_a_render_that_is_queued_wakes_the_worker(self, slow_start: None, start_worker: Workers) -> None:
        first = make_render(Status.QUEUED)
        start_worker(interval=600)
        wait_until(self.listening)
        # The queue was looked at again while the first one was started, so that only a notification is left.
        wait_until(lambda: is_rendering(first))
        second = make_render(Status.QUEUED)
        wait_until(lambda: is_rendering(second))

    def test_slots_that_are_freed_wake_the_worker(self, slow_start: None, start_worker: Workers) -> None:
        first, second = make_render(Status.QUEUED, slots_needed=200), make_render(Status.QUEUED)
        start_worker(interval=600)
        wait_until(self.listening)
        wait_until(lambda: is_rendering(first))
        assert not is_rendering(second)
        change_render(first.pk, partial(transitions.mark_cancelled, at=timezone.now()))
        wait_until(lambda: is_rendering(second))

    def test_connections_that_are_closed_are_made_again(self, numbered: ScriptedServer, start_worker: Workers) -> None:
        worker = start_worker(interval=600)
        wait_until(self.listening)
        (first,) = self.listening()
        query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        wait_until(lambda: [pid for pid in self.listening() if pid != first])
        queued = make_render(Status.QUEUED)
        wait_until(lambda: is_rendering(queued))
        assert worker.stop() == 0
        assert " ERROR renders.operations.worker: listen failed: OperationalError: " in worker.log
