"""When a message is sent again."""

from datetime import UTC, datetime, timedelta
from itertools import accumulate

import pytest

from renders.services.webhooks.schedule import DELAYS, next_attempt_at

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def wait(failures: int, retry_after: str = "") -> timedelta:
    at = next_attempt_at(failures=failures, retry_after=retry_after, now=NOW)
    assert at
    return at - NOW


def test_ten_attempts_in_75_hours_and_then_none() -> None:
    for failures, delay in enumerate(DELAYS, 1):
        assert delay <= wait(failures) <= delay * 1.1
    assert next_attempt_at(failures=10, now=NOW) is None
    assert list(accumulate(DELAYS))[-1] == timedelta(hours=75, minutes=35, seconds=5)


def test_what_failed_together_does_not_come_again_together() -> None:
    assert len({wait(5) for _ in range(20)}) > 10


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("120", 120),
        ("Sun, 01 Mar 2026 12:10:00 GMT", 600),
        ("999999999999999999999", 86_400),
        ("Mon, 01 Mar 2038 12:00:00 GMT", 86_400),
    ],
)
def test_the_endpoint_may_ask_for_a_longer_wait_up_to_a_day(retry_after: str, seconds: int) -> None:
    assert wait(1, retry_after) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "retry_after",
    [
        "0",
        "1",
        "-5",
        "soon",
        "١٢٠",
        "Sun, 01 Mar 2020 12:10:00 GMT",
        "",
        "Sun, 01 Mar 2026 12:10:00 +99999999999999999999",
        "Sun, 01 Mar 99999999999999999999 12:10:00 GMT",
    ],
)
def test_it_cannot_make_it_shorter(retry_after: str) -> None:
    assert timedelta(seconds=5) <= wait(1, retry_after) <= timedelta(seconds=5.5)
