"""The worker: a round of it, and real processes that are stopped and killed."""

import json
import signal
from datetime import timedelta
from io import StringIO
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.utils import timezone

from renders.models import Render
from tests.factories import BUCKET, load_recording, make_render
from tests.operations.processes import Workers, wait_until
from tests.s3 import RENDERS
from tests.servers import INVOKE, Answer, ScriptedServer, reply

pytestmark = pytest.mark.django_db(transaction=True)
Status = Render.Status


def run_worker(*arguments: str) -> str:
    out = StringIO()
    handlers = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        call_command("render_worker", "--once", *arguments, stdout=out, stderr=out)
    finally:
        for name, handler in handlers.items():
            signal.signal(name, handler)
    return out.getvalue()


class TestWorker:
    def test_once_starts_refreshes_and_adopts(self, numbered: ScriptedServer) -> None:
        waiting, rendering = make_render(Status.QUEUED), make_render()
        numbered.answers[f"/{BUCKET}/renders/{rendering.render_id}/"] = reply(
            load_recording("succeeds")[-1]["progress.json"]
        )
        out = run_worker()
        assert f"{waiting.id}: rendering" in out
        assert f"{rendering.id}: succeeded" in out
        assert set(Render.objects.values_list("status", flat=True)) == {"rendering", "succeeded"}

    def test_once_tells_cron_that_a_part_failed(
        self, numbered: ScriptedServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise DatabaseError("No.")

        monkeypatch.setattr("renders.operations.worker.refresh_due", fail)
        with pytest.raises(CommandError, match="A part of the round failed"):
            run_worker()

    def test_a_row_that_cannot_be_read_is_left_alone_for_a_while(self, numbered: ScriptedServer) -> None:
        render = make_render()
        numbered.answers[f"/{BUCKET}/renders/{render.render_id}/"] = Answer(status=403)
        assert "AWS does not let these credentials" in run_worker()
        assert numbered.count(f"/{BUCKET}/renders/{render.render_id}/") == 1
        run_worker()
        assert numbered.count(f"/{BUCKET}/renders/{render.render_id}/") == 1

    def test_what_another_holds_is_taken_over_when_its_time_is_up(self, numbered: ScriptedServer) -> None:
        held = make_render(next_refresh_at=timezone.now() + timedelta(seconds=20))
        lapsed = make_render(next_refresh_at=timezone.now() - timedelta(seconds=1))
        run_worker()
        assert not numbered.count(f"{RENDERS}{held.render_id}/")
        assert numbered.count(f"{RENDERS}{lapsed.render_id}/") == 1


class TestProcesses:
    def test_a_second_one_on_sqlite_says_why_it_does_not_start(self, start_worker: Workers) -> None:
        if connection.vendor != "sqlite":
            pytest.skip("On PostgreSQL several may run.")
        lock = Path(f"{connection.settings_dict['NAME']}.worker")
        lock.unlink(missing_ok=True)
        first = start_worker()
        wait_until(lock.exists)
        second = start_worker()
        assert "A worker runs on this SQLite database already." in second.communicate(timeout=20)[1]
        assert second.returncode == 1
        first.send_signal(signal.SIGTERM)
        assert first.communicate(timeout=20)[0] == "Stopped.\n"
        assert first.returncode == 0

    def test_sigterm_ends_it_after_the_call_under_way(self, aws: ScriptedServer, start_worker: Workers) -> None:
        started = reply({"type": "success", "renderId": "abc123", "bucketName": BUCKET}, delay=2)
        aws.answers[INVOKE] = started
        first, second = make_render(Status.QUEUED), make_render(Status.QUEUED, slots_needed=200)
        worker = start_worker()
        wait_until(lambda: aws.count(INVOKE) == 1)
        worker.send_signal(signal.SIGTERM)
        out, _ = worker.communicate(timeout=20)
        assert worker.returncode == 0
        assert out.splitlines() == [f"{first.id}: rendering", "Stopped."]
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.status, first.render_id, second.status) == (Status.RENDERING, "abc123", Status.QUEUED)
        assert aws.count(INVOKE) == 1

    def test_a_killed_one_leaves_its_call_in_doubt_and_the_next_starts_the_rest(
        self, numbered: ScriptedServer, start_worker: Workers
    ) -> None:
        answer = numbered.answers[INVOKE]
        numbered.answers[INVOKE] = Answer(delay=30)
        in_call, waiting = make_render(Status.QUEUED), make_render(Status.QUEUED, slots_needed=200)
        first = start_worker()
        wait_until(lambda: numbered.count(INVOKE) == 1)
        first.kill()
        first.wait()
        numbered.answers[INVOKE] = answer
        start_worker(REMOTION_CONCURRENCY="300")
        wait_until(lambda: Render.objects.filter(pk=waiting.pk, status=Status.RENDERING).exists())
        in_call.refresh_from_db()
        assert in_call.status == Status.SUBMITTING
        assert numbered.count(INVOKE) == 2


LIMIT = 40


def test_two_workers_start_each_of_500_once_in_order_and_within_the_limit_though_one_is_killed(
    numbered: ScriptedServer, settings: Any, start_worker: Workers
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("On SQLite there is one worker.")
    settings.REMOTION_CONCURRENCY = LIMIT
    # Each render is over when it is first read.
    numbered.answers[RENDERS] = reply(load_recording("succeeds")[-1]["progress.json"])
    now = timezone.now()
    for number in range(500):
        created, priority = now - timedelta(seconds=number), number % 7
        rank = created - timedelta(minutes=priority)
        make_render(Status.QUEUED, created_at=created, priority=priority, queue_rank=rank, slots_needed=1 + number % 3)
    victim, *others = start_worker(), start_worker()
    wait_until(lambda: numbered.count(INVOKE) > 150)
    victim.kill()
    others.append(start_worker())
    wait_until(lambda: not Render.objects.queued().exists())
    for worker in others:
        worker.send_signal(signal.SIGTERM)
    for worker in others:
        worker.communicate(timeout=20)
    out_names = [json.loads(body)["outName"] for _, path, body in numbered.requests if path.startswith(INVOKE) and body]
    in_doubt = Render.objects.unconfirmed().count()
    assert len(out_names) == len(set(out_names))
    # What the killed one had claimed and not called is in doubt, and not called by another.
    assert 500 - in_doubt <= len(out_names) <= 500
    assert in_doubt <= 8
    rows = list(Render.objects.order_by("submitted_at"))
    assert [row.pk for row in rows] == [row.pk for row in sorted(rows, key=lambda row: row.queue_rank)]
    changes = [(row.submitted_at, row.slots_needed) for row in rows]
    changes += [(row.finished_at, -row.slots_needed) for row in rows if row.finished_at]
    assert max(accumulate(change for _, change in sorted(changes))) <= LIMIT
