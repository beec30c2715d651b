import logging

import pytest

from renders.operations.repeated_log import INTERVAL_SECONDS, RepeatedLog

NAME = "tests.repeated"


@pytest.fixture
def now() -> list[float]:
    return [1000.0]


@pytest.fixture
def log(now: list[float]) -> RepeatedLog:
    return RepeatedLog(logging.getLogger(NAME), clock=lambda: now[0])


def test_the_same_kind_is_logged_once_a_minute_with_a_count(
    log: RepeatedLog, now: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(4):
        log.warn(kind="host", message=f"Host {number}")
    now[0] += INTERVAL_SECONDS - 1
    log.warn(kind="host", message="Too soon")
    now[0] += 1
    log.warn(kind="host", message="Again")
    now[0] += INTERVAL_SECONDS
    log.warn(kind="host", message="And again")
    assert caplog.messages == ["Host 0", "Again (4 more since the last line)", "And again"]


def test_another_kind_is_logged_at_once(log: RepeatedLog, caplog: pytest.LogCaptureFixture) -> None:
    log.warn(kind="host", message="Host")
    log.warn(kind="database", message="Database")
    assert caplog.messages == ["Host", "Database"]
