"""Workers as real processes, that are stopped and killed, and that share the work."""

import json
import re
import signal
from datetime import timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from renders.models import RefreshState, Render
from tests.factories import BUCKET, make_due, make_render
from tests.operations.processes import Workers, wait_until
from tests.s3 import RENDERS, last_progress, progress_path, recorded
from tests.servers import INVOKE, Answer, ScriptedServer, reply

pytestmark = pytest.mark.django_db(transaction=True)
Status = Render.Status
LIMIT = 40


class TestOne:
    def test_a_second_one_on_sqlite_says_why_it_does_not_start(self, start_worker: Workers) -> None:
        if connection.vendor != "sqlite":
            pytest.skip("On PostgreSQL several may run.")
        lock = Path(f"{connection.settings_dict['NAME']}.worker")
        lock.unlink(missing_ok=True)
        first = start_worker()
        wait_until(lock.exists)
        second = start_worker()
        assert second.wait(20) == 1
        assert "A worker runs on this SQLite database already." in second.log
        assert first.stop() == 0

    def test_sigterm_ends_it_after_the_call_under_way(self, aws: ScriptedServer, start_worker: Workers) -> None:
        aws.answers[INVOKE] = reply({"type": "success", "renderId": "abc123", "bucketName": BUCKET}, delay=2)
        first, second = make_render(Status.QUEUED), make_render(Status.QUEUED, slots_needed=200)
        worker = start_worker(interval=60)
        wait_until(lambda: aws.count(INVOKE) == 1)
        assert worker.stop() == 0
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.status, first.render_id, second.status) == (Status.RENDERING, "abc123", Status.QUEUED)
        assert aws.count(INVOKE) == 1

    def test_its_log_lines_have_time_and_level(self, numbered: ScriptedServer, start_worker: Workers) -> None:
        render = make_render()
        numbered.answers[progress_path(render)] = last_progress()
        worker = start_worker()
        wait_until(lambda: f"Render {render.id} in {BUCKET} is succeeded" in worker.log)
        assert worker.stop() == 0
        lines = worker.log.splitlines()
        assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO renders\.", line) for line in lines)
        assert lines[-1].endswith("The worker has stopped.")

    def test_a_killed_one_leaves_its_call_unconfirmed_and_the_next_starts_the_rest(
        self, numbered: ScriptedServer, start_worker: Workers
    ) -> None:
        answer = numbered.answers[INVOKE]
        numbered.answers[INVOKE] = Answer(delay=30)
        in_call, waiting = make_render(Status.QUEUED), make_render(Status.QUEUED, slots_needed=200)
        first = start_worker()
        wait_until(lambda: numbered.count(INVOKE) == 1)
        first.send_signal(signal.SIGKILL)
        first.wait()
        numbered.answers[INVOKE] = answer
        start_worker(REMOTION_CONCURRENCY="300")
        wait_until(lambda: Render.objects.filter(pk=waiting.pk, status=Status.RENDERING).exists())
        in_call.refresh_from_db()
        assert in_call.status == Status.SUBMITTING
        assert numbered.count(INVOKE) == 2


@pytest.mark.system
class TestSeveral:
    @pytest.fixture(autouse=True)
    def only_on_postgresql(self) -> None:
        if connection.vendor != "postgresql":
            pytest.skip("On SQLite there is one worker.")

    def test_two_share_the_rows_and_one_that_is_killed_loses_none(
        self, aws: ScriptedServer, start_worker: Workers
    ) -> None:
        aws.answers[RENDERS] = reply(recorded(), delay=0.3)
        renders = [make_render() for _ in range(1200)]
        victim, other = start_worker(), start_worker()
        wait_until(lambda: len(aws.requests) > 300)
        victim.kill()
        victim.wait()
        wait_until(lambda: not RefreshState.objects.due(timezone.now()).exists())
        other.stop()
        left = Render.objects.filter(status=Status.RENDERING)
        assert left.exists(), "The killed one had claimed nothing: it was killed too late."
        assert len({path for _, path, _ in aws.requests}) == len(aws.requests), "A row was read twice."
        make_due()  # as when the lease ends
        start_worker()
        wait_until(lambda: not left.exists())
        assert Render.objects.filter(status=Status.SUCCEEDED).count() == len(renders)

    def test_each_of_500_is_started_once_in_order_and_within_the_limit_though_one_is_killed(
        self, numbered: ScriptedServer, settings: Any, start_worker: Workers
    ) -> None:
        settings.REMOTION_CONCURRENCY = LIMIT
        numbered.answers[RENDERS] = last_progress()  # each render is over when it is first read
        now = timezone.now()
        for number in range(500):
            created, priority = now - timedelta(seconds=number), number % 7
            rank = created - timedelta(minutes=priority)
            make_render(
                Status.QUEUED, created_at=created, priority=priority, queue_rank=rank, slots_needed=1 + number % 3
            )
        victim, *others = start_worker(), start_worker()
        wait_until(lambda: numbered.count(INVOKE) > 150)
        victim.kill()
        others.append(start_worker())
        wait_until(lambda: not Render.objects.queued().exists())
        for worker in others:
            worker.stop()
        calls = [json.loads(body) for _, path, body in numbered.requests if path.startswith(INVOKE) and body]
        out_names = [call["outName"] for call in calls]
        unconfirmed = Render.objects.unconfirmed().count()
        assert len(out_names) == len(set(out_names))
        # What the killed one had admitted and not called is unconfirmed, and called by no other.
        assert 500 - unconfirmed <= len(out_names) <= 500
        assert unconfirmed <= 8
        rows = list(Render.objects.order_by("submitted_at"))
        assert [row.pk for row in rows] == [row.pk for row in sorted(rows, key=lambda row: row.queue_rank)]
        changes = [(row.submitted_at, row.slots_needed) for row in rows]
        changes += [(row.finished_at, -row.slots_needed) for row in rows if row.finished_at]
        assert max(accumulate(change for _, change in sorted(changes))) <= LIMIT
