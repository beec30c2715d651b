"""What is told that somebody should look at."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from renders.models import Render, WorkerHeartbeat
from renders.services.statistics.attention import (
    Subject,
    concerns_of_incoming,
    concerns_of_outgoing,
    concerns_of_renders,
)
from renders.services.statistics.current import current
from renders.services.statistics.webhooks import Incoming, Outgoing
from renders.services.statistics.workers import workers
from tests.factories import make_render

pytestmark = pytest.mark.django_db
Status = Render.Status
QUIET = Outgoing(
    pending=3,
    overdue_since=None,
    failed=0,
    attempts=9,
    success_rate=1.0,
    median_ms=5,
    endpoints=2,
    failing_endpoints=0,
    disabled_endpoints=0,
)


def sentences() -> list[str]:
    return [concern.sentence for concern in concerns_of_renders(current(), workers())]


@pytest.fixture
def worker(db: None) -> WorkerHeartbeat:
    return WorkerHeartbeat.objects.create(host="one", pid=1)


def ago(**span: float) -> Any:
    return timezone.now() - timedelta(**span)


@pytest.mark.usefixtures("worker")
class TestRenders:
    def test_what_goes_well_concerns_nobody(self) -> None:
        make_render(answered_at=timezone.now())
        make_render(Status.QUEUED)
        make_render(Status.SUBMITTING)
        for status in Render.TERMINAL:
            make_render(status, created_at=ago(days=1))
        assert sentences() == []

    def test_renders_that_are_stuck_are_counted(self, settings: Any) -> None:
        settings.REMOTION_STALL_SECONDS = 60
        make_render(answered_at=timezone.now(), submitted_at=ago(minutes=5))
        for minutes in (11, 12):
            make_render(Status.QUEUED, created_at=ago(minutes=minutes))
        make_render(Status.SUBMITTING, submitted_at=ago(minutes=2))
        assert sentences() == [
            "1 render has made no progress for over 60 s.",
            "1 render has not been confirmed by AWS: whether it runs is looked for on S3.",
            "2 renders have been waiting for over 10 minutes.",
        ]


class TestWorkers:
    def test_without_one_nothing_goes_on(self) -> None:
        make_render(Status.QUEUED)
        assert sentences() == ["No worker runs: 1 render will not go on. Start manage.py render_worker."]

    def test_one_that_was_killed_is_told_for_an_hour(self, worker: WorkerHeartbeat) -> None:
        lost = WorkerHeartbeat.objects.create(host="two", pid=2, seen_at=ago(minutes=2))
        assert ["killed" in sentence for sentence in sentences()] == [True]
        WorkerHeartbeat.objects.filter(pk=lost.pk).update(seen_at=ago(hours=2))
        assert sentences() == []

    def test_one_that_has_stopped_is_not_lost(self, worker: WorkerHeartbeat) -> None:
        WorkerHeartbeat.objects.create(host="two", pid=2, seen_at=ago(minutes=2), stopped_at=ago(minutes=2))
        assert sentences() == []

    def test_rounds_as_from_cron_are_work_too(self) -> None:
        WorkerHeartbeat.objects.create(host="cron", pid=9, is_continuous=False, stopped_at=timezone.now())
        assert sentences() == []

    def test_rounds_that_have_ceased_are_no_work(self) -> None:
        WorkerHeartbeat.objects.create(
            host="cron", pid=9, is_continuous=False, seen_at=ago(hours=2), stopped_at=ago(hours=2)
        )
        (sentence,) = sentences()
        assert "No worker runs" in sentence


class TestWebhooks:
    def test_what_goes_well_concerns_nobody(self) -> None:
        assert concerns_of_outgoing(QUIET) == []
        assert concerns_of_incoming(Incoming(is_set_up=True, newest_at=None, received=0, unprocessed=0)) == []

    def test_each_trouble_is_told_with_what_it_is_about(self) -> None:
        health = Outgoing(
            pending=1,
            overdue_since=ago(minutes=9),
            failed=2,
            attempts=0,
            success_rate=None,
            median_ms=None,
            endpoints=1,
            failing_endpoints=1,
            disabled_endpoints=3,
        )
        assert [(concern.subject, concern.sentence) for concern in concerns_of_outgoing(health)] == [
            (Subject.FAILING_ENDPOINTS, "1 webhook endpoint is accepting no messages."),
            (Subject.DISABLED_ENDPOINTS, "3 webhook endpoints are disabled because of failures."),
            (Subject.FAILED_MESSAGES, "2 webhook messages were given up in the last seven days."),
            (Subject.MESSAGES, "Webhook messages are due and not sent."),
        ]

    def test_deliveries_that_were_not_processed(self) -> None:
        (concern,) = concerns_of_incoming(Incoming(is_set_up=True, newest_at=None, received=0, unprocessed=2))
        assert concern.sentence == "2 deliveries from Remotion were not processed."
