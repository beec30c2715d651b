"""Periods of statistics."""

from datetime import UTC, date, datetime, timedelta

import pytest

from renders.models import UsageDay
from renders.services.statistics.period import last_days, month_of, months_with_usage, today


def test_the_last_days_end_today() -> None:
    period = last_days()
    assert (period.last, len(period.days), period.days[0]) == (today(), 30, today() - timedelta(days=29))


def test_a_month_is_whole() -> None:
    period = month_of(date(2024, 2, 11))
    assert (period.first, period.last, period.name) == (date(2024, 2, 1), date(2024, 2, 29), "February 2024")
    assert period.end == datetime(2024, 3, 1, tzinfo=UTC)


def test_this_month_ends_today() -> None:
    assert month_of(today()).last == today()


@pytest.mark.django_db
def test_months_are_offered_since_the_first_usage() -> None:
    assert months_with_usage() == [today().replace(day=1)]
    last_of_month_before = today().replace(day=1) - timedelta(days=1)
    UsageDay.objects.create(day=last_of_month_before.replace(day=1) - timedelta(days=1), region="us-east-1")
    assert months_with_usage() == [
        today().replace(day=1),
        last_of_month_before.replace(day=1),
        (last_of_month_before.replace(day=1) - timedelta(days=1)).replace(day=1),
    ]
    assert len(months_with_usage(at_most=2)) == 2
