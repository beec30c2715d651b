"""What a worker writes about itself."""

import os
from datetime import timedelta

import pytest
from django.utils import timezone

from renders.models import WorkerHeartbeat
from renders.models.worker_heartbeat import LOST_AFTER
from renders.services.heartbeat import INTERVAL_SECONDS, Heartbeat

pytestmark = pytest.mark.django_db


def test_a_worker_is_one_row_that_says_when_it_was_heard_of() -> None:
    heartbeat = Heartbeat()
    assert heartbeat.beat() == INTERVAL_SECONDS
    first = WorkerHeartbeat.objects.get()
    heartbeat.beat()
    second = WorkerHeartbeat.objects.get()
    assert (second.pk, second.pid, second.started_at) == (first.pk, os.getpid(), first.started_at)
    assert second.seen_at > first.seen_at


def test_it_is_alive_until_it_has_missed_several_beats() -> None:
    Heartbeat().beat()
    alive = WorkerHeartbeat.objects.alive
    assert timedelta(seconds=3 * INTERVAL_SECONDS) < LOST_AFTER
    assert alive(timezone.now()).exists()
    later = timezone.now() + LOST_AFTER + timedelta(seconds=1)
    assert not alive(later).exists()
    assert WorkerHeartbeat.objects.get().is_lost(later)


def test_one_that_stops_says_so() -> None:
    heartbeat = Heartbeat()
    heartbeat.beat()
    heartbeat.stop()
    row = WorkerHeartbeat.objects.get()
    assert row.stopped_at is not None
    assert not row.is_lost(timezone.now() + timedelta(days=1))
    assert not WorkerHeartbeat.objects.alive(timezone.now()).exists()


def test_failures_are_told_at_the_next_beat() -> None:
    heartbeat = Heartbeat()
    heartbeat.beat()
    heartbeat.note_failure("refresh failed: first")
    heartbeat.note_failure("refresh failed: second")
    assert WorkerHeartbeat.objects.get().failures == 0
    heartbeat.beat()
    row = WorkerHeartbeat.objects.get()
    assert (row.failures, row.last_failure) == (2, "refresh failed: second")
    assert row.last_failure_at is not None


def test_a_start_deletes_those_of_more_than_a_day_ago() -> None:
    now = timezone.now()
    for hours in (23, 25):
        WorkerHeartbeat.objects.create(host=f"{hours}", pid=1, seen_at=now - timedelta(hours=hours))
    heartbeat = Heartbeat()
    heartbeat.beat()
    assert set(WorkerHeartbeat.objects.values_list("host", flat=True)) == {"23", heartbeat._row.host}
