"""Log trouble that each request or each round of a loop meets again, without flooding the log."""

import logging
import threading
import time
from collections.abc import Callable

INTERVAL_SECONDS = 60


class RepeatedLog:
    """Logs a kind of trouble at most once a minute, with how often it was left out since."""

    def __init__(self, logger: logging.Logger, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._logger = logger
        self._clock = clock
        self._lock = threading.Lock()
        self._logged_at: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    def warn(self, *, kind: str, message: str) -> None:
        """Log the message, unless one of the same kind was logged within the last minute."""
        with self._lock:
            now = self._clock()
            if now - self._logged_at.get(kind, float("-inf")) < INTERVAL_SECONDS:
                self._left_out[kind] = self._left_out.get(kind, 0) + 1
                return
            self._logged_at[kind] = now
            count = self._left_out.pop(kind, 0)
        self._logger.warning("%s%s", message, f" ({count} more since the last line)" if count else "")
