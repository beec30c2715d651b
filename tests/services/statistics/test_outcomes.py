"""How the renders of a period have ended."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from renders.models import EndCount, EndKey, Render
from renders.services.statistics.outcomes import failed_today, outcomes
from renders.services.statistics.period import last_days, month_of, today
from renders.services.statistics.render_times import bucket_of
from tests.factories import make_render

pytestmark = pytest.mark.django_db
Reason = Render.FailureReason


def count(day: date, seconds: float, renders: int) -> None:
    EndCount.objects.add({EndKey(day, "succeeded", time_bucket=bucket_of(seconds)): renders})


def fail(day: date, reason: Reason, renders: int) -> None:
    EndCount.objects.add({EndKey(day, "failed", reason.value): renders})


def test_median_and_p95_are_of_the_period_and_of_each_day() -> None:
    count(today(), 10, 90)
    count(today() - timedelta(days=1), 200, 10)
    count(today() - timedelta(days=40), 4000, 1000)
    found = outcomes(last_days())
    assert found.times.median == pytest.approx(10, rel=0.1)
    assert found.times.p95 == pytest.approx(200, rel=0.1)
    assert list(found.times_by_day) == [today() - timedelta(days=1), today()]
    assert found.times_by_day[today()].p95 == pytest.approx(10, rel=0.1)


def test_failures_come_by_their_number_with_the_newest_of_each() -> None:
    fail(today(), Reason.LOST, 1)
    fail(today(), Reason.TIMED_OUT, 3)
    fail(today() - timedelta(days=2), Reason.TIMED_OUT, 1)
    make_render("failed", failure_reason=Reason.TIMED_OUT, created_at=timezone.now() - timedelta(hours=1))
    newest = make_render("failed", failure_reason=Reason.TIMED_OUT, error="Too slow.")
    found = outcomes(last_days()).failures
    assert [(each.reason, each.count) for each in found] == [("timed_out", 4), ("lost", 1)]
    assert (found[0].newest, found[1].newest) == (newest, None)


def test_the_newest_of_a_month_is_not_from_later() -> None:
    day = date(2026, 1, 15)
    fail(day, Reason.LOST, 1)
    then = timezone.now().replace(year=2026, month=1, day=15)
    old = make_render("failed", failure_reason=Reason.LOST, finished_at=then)
    make_render("failed", failure_reason=Reason.LOST)
    assert [each.newest for each in outcomes(month_of(day)).failures] == [old]


def test_a_reason_whose_failures_were_taken_back_is_not_told() -> None:
    fail(today(), Reason.LOST, 1)
    fail(today(), Reason.LOST, -1)
    assert outcomes(last_days()).failures == []


def test_without_ends_there_are_no_times() -> None:
    found = outcomes(last_days())
    assert (found.times.median, found.times.p95, found.times_by_day) == (None, None, {})


def test_what_failed_today() -> None:
    fail(today(), Reason.LOST, 2)
    fail(today(), Reason.TIMED_OUT, 1)
    fail(today() - timedelta(days=1), Reason.LOST, 8)
    count(today(), 5, 20)
    assert failed_today() == 3
