"""The worker, in this process."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.utils import timezone

from renders.models import Render
from renders.operations.worker import REFRESH_THREADS, Worker, WorkerFailed
from tests.factories import BUCKET, make_render
from tests.operations.processes import wait_until
from tests.s3 import RENDERS, last_progress, progress_path
from tests.servers import INVOKE, Answer, ScriptedServer, lambda_error

pytestmark = pytest.mark.django_db(transaction=True)
Status = Render.Status


def run_worker() -> None:
    handlers = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        call_command("render_worker", "--once")
    finally:
        for name, handler in handlers.items():
            signal.signal(name, handler)


def fail(*_: Any, **__: Any) -> None:
    raise DatabaseError("No.")


class TestOnce:
    def test_it_starts_and_refreshes(self, numbered: ScriptedServer) -> None:
        waiting, rendering = make_render(Status.QUEUED), make_render()
        numbered.answers[progress_path(rendering)] = last_progress()
        run_worker()
        waiting.refresh_from_db()
        rendering.refresh_from_db()
        assert (waiting.status, rendering.status) == (Status.RENDERING, Status.SUCCEEDED)

    def test_it_starts_all_that_may_start(self, numbered: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_CONCURRENCY = 40
        for _ in range(12):
            make_render(Status.QUEUED, slots_needed=4)
        run_worker()
        assert Render.objects.queued().count() == 2

    @pytest.mark.parametrize("part", ["dispatch_next", "reconcile", "refresh_due"])
    def test_a_part_that_fails_is_told_to_cron_and_keeps_no_other_from_running(
        self, numbered: ScriptedServer, monkeypatch: pytest.MonkeyPatch, part: str
    ) -> None:
        waiting, rendering = make_render(Status.QUEUED), make_render()
        numbered.answers[progress_path(rendering)] = last_progress()
        monkeypatch.setattr(f"renders.operations.worker.{part}", fail)
        with pytest.raises(CommandError, match="A part of the round failed"):
            run_worker()
        waiting.refresh_from_db()
        rendering.refresh_from_db()
        assert (waiting.status == Status.RENDERING) == (part != "dispatch_next")
        assert (rendering.status == Status.SUCCEEDED) == (part != "refresh_due")

    def test_a_row_that_cannot_be_read_is_left_alone_for_a_while(self, numbered: ScriptedServer) -> None:
        render = make_render()
        numbered.answers[progress_path(render)] = Answer(status=403)
        run_worker()
        run_worker()
        assert numbered.count(progress_path(render)) == 1

    def test_what_another_has_claimed_is_taken_over_when_its_lease_ends(self, numbered: ScriptedServer) -> None:
        held = make_render(next_refresh_at=timezone.now() + timedelta(seconds=20))
        lapsed = make_render(next_refresh_at=timezone.now() - timedelta(seconds=1))
        run_worker()
        assert not numbered.count(f"{RENDERS}{held.render_id}/")
        assert numbered.count(f"{RENDERS}{lapsed.render_id}/") == 1


class TestRun:
    @pytest.fixture
    def worker(self) -> Iterator[Worker]:
        worker = Worker(interval=0.05)
        yield worker
        worker.stop()

    def test_a_part_that_fails_is_run_again_and_logged_once_with_its_count(
        self, worker: Worker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr("renders.operations.worker.seconds_until_due", fail)
        with ThreadPoolExecutor(1) as thread:
            running = thread.submit(worker.run)
            wait_until(lambda: worker.failures > REFRESH_THREADS)
            worker.stop()
            running.result()
        first, last = [record for record in caplog.records if record.levelname == "ERROR"]
        assert first.getMessage() == "refresh failed: DatabaseError: No."
        assert last.__dict__["count"] >= REFRESH_THREADS

    def test_a_thread_that_ends_ends_the_worker(self, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
        def end(*_: Any, **__: Any) -> None:
            raise SystemExit

        monkeypatch.setattr("renders.operations.worker.reconcile", end)
        with pytest.raises(WorkerFailed, match="A thread of the worker has ended: SystemExit"):
            worker.run()


class TestLog:
    def test_the_end_of_a_render_is_one_line_with_render_and_bucket(
        self, numbered: ScriptedServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        done, rendering = make_render(), make_render()
        numbered.answers[progress_path(done)] = last_progress()
        run_worker()
        (record,) = [record for record in caplog.records if str(done.id) in record.getMessage()]
        assert record.getMessage() == f"Render {done.id} in {BUCKET} is succeeded"
        assert (record.__dict__["render"], record.__dict__["bucket"]) == (str(done.id), BUCKET)
        assert str(rendering.id) not in caplog.text

    def test_a_render_that_is_refused_is_one_line(self, aws: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
        aws.answers[INVOKE] = lambda_error(400, "InvalidRequestContentException", "Could not parse it.")
        render = make_render(Status.QUEUED)
        run_worker()
        (message,) = [message for message in caplog.messages if str(render.id) in message]
        assert message.startswith(f"Render {render.id} in {BUCKET} is failed (")

    def test_renders_of_a_bucket_that_cannot_be_read_are_one_line_with_their_count(
        self, aws: ScriptedServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        aws.answers[RENDERS] = Answer(status=403)
        for _ in range(3):
            make_render()
        run_worker()
        (record,) = caplog.records
        assert record.getMessage().startswith(f"{BUCKET} could not be read: AWS does not let these credentials")
        assert record.getMessage().endswith(" (3 times)")
        assert record.__dict__["bucket"] == BUCKET

    def test_starts_that_aws_has_no_capacity_for_are_one_line_with_their_count(
        self, aws: ScriptedServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        aws.answers[INVOKE] = replace(lambda_error(429, "TooManyRequestsException"), delay=1)
        for _ in range(4):
            make_render(Status.QUEUED)
        run_worker()
        records = [record for record in caplog.records if "queued again" in record.getMessage()]
        assert len(records) == 2
        assert sum(record.__dict__["count"] for record in records) == aws.count(INVOKE) == 4
        assert records[-1].getMessage().endswith(" (3 times more in 0 s)")
