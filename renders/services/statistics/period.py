"""Periods that statistics are for: a month, or the last days. All days are in UTC."""

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.utils import timezone

from renders.models import UsageDay

DAYS = 30


@dataclass(frozen=True)
class Period:
    """Days from ``first`` to ``last``, and what they are called."""

    first: date
    last: date
    name: str
    is_month: bool = False

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]

    @property
    def end(self) -> datetime:
        """The moment after the last day."""
        return datetime.combine(self.last + timedelta(days=1), time(), UTC)


def today() -> date:
    return timezone.now().astimezone(UTC).date()


def last_days() -> Period:
    """Return the last ``DAYS`` days, today included."""
    return Period(today() - timedelta(days=DAYS - 1), today(), f"Last {DAYS} days")


def month_of(day: date) -> Period:
    """Return the month that a day is in; of this month, the days until today."""
    end = day.replace(day=calendar.monthrange(day.year, day.month)[1])
    return Period(day.replace(day=1), min(end, max(day, today())), f"{day:%B %Y}", is_month=True)


def months_with_usage(*, at_most: int = 36) -> list[date]:
    """Return the first days of the months since the first usage, the newest first."""
    first = UsageDay.objects.order_by("day").values_list("day", flat=True).first()
    month = today().replace(day=1)
    months = [month]
    while first and month > first.replace(day=1) and len(months) < at_most:
        month = (month - timedelta(days=1)).replace(day=1)
        months.append(month)
    return months
