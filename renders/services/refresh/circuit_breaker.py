"""Keeping away from buckets that fail, so that they hold up nobody else's renders.

https://learn.microsoft.com/en-us/azure/architecture/patterns/circuit-breaker
"""

import random
import threading
import time
from dataclasses import dataclass

MIN_OPEN_SECONDS = 2
MAX_OPEN_SECONDS = 60
PROBE_SECONDS = 60
"""How long one thread may probe a bucket that failed, or was slow, the last time."""


@dataclass
class _Circuit:
    failures: int
    open_until: float
    """On the monotonic clock."""


class CircuitBreaker:
    """The state of each bucket in this process: closed, open, or half-open. Thread-safe.

    A failure opens the circuit for 2 s, then twice as long each time, up to 60 s, with jitter.
    After that it is half-open: one thread probes the bucket; the others skip it.
    """

    def __init__(self) -> None:
        self._circuits: dict[str, _Circuit] = {}
        self._lock = threading.Lock()

    def open_buckets(self) -> list[str]:
        """Return the buckets that must not be asked now."""
        with self._lock:
            return [name for name, circuit in self._circuits.items() if circuit.open_until > time.monotonic()]

    def begin(self, bucket_name: str) -> None:
        """Say that this thread asks the bucket. Half-open: one thread probes it; the others skip it."""
        with self._lock:
            if circuit := self._circuits.get(bucket_name):
                circuit.open_until = time.monotonic() + PROBE_SECONDS

    def end(self, bucket_name: str, *, has_answered: bool, is_slow: bool = False) -> None:
        """Say how it went. A slow bucket stays half-open: one thread at a time asks it."""
        with self._lock:
            if has_answered:
                self._circuits.pop(bucket_name, None)
                if is_slow:
                    self._circuits[bucket_name] = _Circuit(0, 0)
                return
            circuit = self._circuits.setdefault(bucket_name, _Circuit(0, 0))
            longest = min(MAX_OPEN_SECONDS, MIN_OPEN_SECONDS * 2 ** min(circuit.failures, 10))
            circuit.failures += 1
            circuit.open_until = time.monotonic() + longest * random.uniform(0.5, 1)  # noqa: S311
