"""Workers as real processes, and what the database says of them."""

import pytest
from django.utils import timezone

from renders.models import WorkerHeartbeat
from renders.services.statistics.workers import workers
from tests.operations.processes import Workers, wait_until
from tests.operations.test_worker import run_worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("aws")]


def test_a_worker_is_alive_until_it_is_stopped(start_worker: Workers) -> None:
    worker = start_worker()
    wait_until(lambda: WorkerHeartbeat.objects.alive(timezone.now()).exists())
    assert [each.pid for each in workers().alive] == [worker.pid]
    assert worker.stop() == 0
    row = WorkerHeartbeat.objects.get()
    assert row.stopped_at is not None
    assert workers().alive == workers().lost == []


def test_a_killed_worker_does_not_say_that_it_stopped(start_worker: Workers) -> None:
    worker = start_worker()
    wait_until(WorkerHeartbeat.objects.exists)
    worker.kill()
    worker.wait()
    assert WorkerHeartbeat.objects.get().stopped_at is None


def test_a_round_is_told_as_one() -> None:
    run_worker()
    assert workers().are_rounds
    assert not workers().alive
