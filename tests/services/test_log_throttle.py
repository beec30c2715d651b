import logging

import pytest

from renders.services.log_throttle import LogThrottle

LOGGER = logging.getLogger("renders.test")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("renders.services.log_throttle.time", clock)
    return clock


def test_the_same_is_logged_at_once_and_then_once_a_minute_with_its_count(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    throttle = LogThrottle(LOGGER)
    for _ in range(5):
        throttle.log(logging.WARNING, "S3 failed.", extra={"bucket": "b"})
    assert caplog.messages == ["S3 failed."]
    clock.now += 61
    throttle.flush()
    throttle.flush()
    assert caplog.messages == ["S3 failed.", "S3 failed. (4 times more in 61 s)"]
    record = caplog.records[-1]
    assert (record.levelname, record.__dict__["bucket"], record.__dict__["count"]) == ("WARNING", "b", 4)


def test_after_a_minute_without_it_it_is_logged_at_once_again(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    throttle = LogThrottle(LOGGER)
    throttle.log(logging.WARNING, "S3 failed.")
    clock.now += 61
    throttle.flush()
    throttle.log(logging.WARNING, "S3 failed.")
    assert caplog.messages == ["S3 failed.", "S3 failed."]


def test_without_a_flush_the_next_message_brings_the_count(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    throttle = LogThrottle(LOGGER)
    throttle.log(logging.WARNING, "S3 failed.")
    throttle.log(logging.WARNING, "S3 failed.")
    clock.now += 61
    throttle.log(logging.WARNING, "Another.")
    assert caplog.messages == ["S3 failed.", "Another.", "S3 failed. (once more in 61 s)"]


def test_what_has_another_key_is_another_trouble(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    throttle = LogThrottle(LOGGER)
    throttle.log(logging.WARNING, "7 at the gate", key="gate")
    throttle.log(logging.WARNING, "8 at the gate", key="gate")
    throttle.log(logging.WARNING, "7 at the door", key="door", count=300)
    assert caplog.messages == ["7 at the gate", "7 at the door (300 times)"]
    throttle.flush(all_counts=True)
    assert caplog.messages[2:] == ["8 at the gate (once more in 0 s)"]


def test_keys_are_forgotten(clock: Clock) -> None:
    throttle = LogThrottle(LOGGER)
    for number in range(1000):
        throttle.log(logging.WARNING, f"Trouble {number}.")
    clock.now += 61
    throttle.log(logging.WARNING, "Another.")
    assert len(throttle._troubles) == 1


def test_a_traceback_is_logged_once(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    throttle = LogThrottle(LOGGER)
    for _ in range(2):
        throttle.log(logging.ERROR, "It failed.", exc_info=ValueError("No."))
    throttle.flush(all_counts=True)
    assert [bool(record.exc_info) for record in caplog.records] == [True, False]
