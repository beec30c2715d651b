"""Leaving buckets alone that do not answer, so that they hold up nobody else's renders."""

import random
import threading
import time
from dataclasses import dataclass

FIRST_SECONDS = 2
LONGEST_SECONDS = 60
PROBE_SECONDS = 60
"""How long one thread may take with a bucket that did not answer, or was slow, the last time."""


@dataclass
class _Silence:
    failures: int
    ends_at: float


class Backoff:
    """The buckets that a process leaves alone for now, longer each time, with jitter. Thread-safe."""

    def __init__(self) -> None:
        self._silences: dict[str, _Silence] = {}
        self._lock = threading.Lock()

    def silent(self) -> list[str]:
        """The buckets that are not to be asked now."""
        with self._lock:
            return [name for name, silence in self._silences.items() if silence.ends_at > time.monotonic()]

    def begin(self, bucket_name: str) -> None:
        """A thread asks this bucket; where it failed or was slow before, no other does until it is known how."""
        with self._lock:
            if silence := self._silences.get(bucket_name):
                silence.ends_at = time.monotonic() + PROBE_SECONDS

    def end(self, bucket_name: str, *, has_answered: bool, is_slow: bool = False) -> None:
        """What came of it. A slow bucket is asked again at once, but by one thread at a time."""
        with self._lock:
            if has_answered:
                self._silences.pop(bucket_name, None)
                if is_slow:
                    self._silences[bucket_name] = _Silence(0, 0)
                return
            silence = self._silences.setdefault(bucket_name, _Silence(0, 0))
            longest = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** min(silence.failures, 10))
            silence.failures += 1
            silence.ends_at = time.monotonic() + longest * random.uniform(0.5, 1)  # noqa: S311
