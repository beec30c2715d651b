"""Log the same trouble once a minute, with how often it occurred."""

import logging
import threading
import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass


@dataclass
class _Trouble:
    level: int
    message: str
    extra: Mapping[str, object]
    logged_at: float
    """On the monotonic clock."""
    count: int = 0
    """Occurrences since then."""


class LogThrottle:
    """Logs the first message of a key at once, and those that follow as one line a minute. Thread-safe.

    A key is whatever makes two messages the same trouble, for example a bucket and a reason. Call
    ``flush()`` now and then, or the last minute's count waits until anything else is logged here.
    """

    def __init__(self, logger: logging.Logger, *, period: float = 60) -> None:
        """``period`` is in seconds."""
        self._logger = logger
        self._period = period
        self._troubles: dict[Hashable, _Trouble] = {}
        self._lock = threading.Lock()

    def log(
        self,
        level: int,
        message: str,
        *,
        key: Hashable = None,
        count: int = 1,
        extra: Mapping[str, object] | None = None,
        exc_info: BaseException | None = None,
    ) -> None:
        """Log the message, or count it if one of this ``key`` was logged within the period.

        ``key`` is the message itself unless given. ``count`` is how often it occurred. ``extra`` are
        fields of the log record, which gets ``count`` too. The traceback of ``exc_info`` is logged
        with the first message only.
        """
        key = message if key is None else key
        with self._lock:
            known = self._troubles.get(key)
            trouble = self._troubles[key] = _Trouble(level, message, extra or {}, time.monotonic())
            if known:
                trouble.logged_at, trouble.count = known.logged_at, known.count + count
        if not known:
            self._emit(trouble, f"{message} ({count} times)" if count > 1 else message, count, exc_info)
        self.flush()

    def flush(self, *, all_counts: bool = False) -> None:
        """Log the counts whose period is over; with ``all_counts``, at the end of a process, the others too."""
        now = time.monotonic()
        due = []
        with self._lock:
            for key, trouble in list(self._troubles.items()):
                age = now - trouble.logged_at
                if not all_counts and age < self._period:
                    continue
                if trouble.count:
                    due.append((trouble, trouble.count, age))
                    trouble.logged_at, trouble.count = now, 0
                else:
                    del self._troubles[key]
        for trouble, count, age in due:
            times = "once" if count == 1 else f"{count} times"
            self._emit(trouble, f"{trouble.message} ({times} more in {age:.0f} s)", count)

    def _emit(self, trouble: _Trouble, text: str, count: int, exc_info: BaseException | None = None) -> None:
        self._logger.log(trouble.level, "%s", text, extra={**trouble.extra, "count": count}, exc_info=exc_info)
