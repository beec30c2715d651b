"""When a message is sent again. Pure.

The delays are those that Standard Webhooks recommends: ten attempts in 75 hours.
"""

import random
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

DELAYS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""From each failed attempt to the next."""

JITTER = 0.1
"""The part by which a delay is longer at most, so that what failed together does not come again together."""

LONGEST_RETRY_AFTER = timedelta(hours=24)

DISABLE_AFTER = timedelta(days=3)
"""How long an endpoint may fail, without one success, until it is disabled."""


def next_attempt_at(*, failures: int, retry_after: str = "", now: datetime) -> datetime | None:
    """Return when to send a message again after so many failures; None if no attempt is left.

    ``retry_after`` is the answer's header: seconds or a date. It can make the wait longer, not shorter.
    """
    if failures > len(DELAYS):
        return None
    delay = DELAYS[failures - 1] * (1 + JITTER * random.random())  # noqa: S311
    return now + max(delay, _asked_for(retry_after, now))


def _asked_for(retry_after: str, now: datetime) -> timedelta:
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), LONGEST_RETRY_AFTER)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return timedelta(0)
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(aware - now, timedelta(0)), LONGEST_RETRY_AFTER)
