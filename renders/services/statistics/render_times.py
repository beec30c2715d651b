"""Render times as counts by bucket: from them, the median and other percentiles within five percent. Pure."""

import math
from collections.abc import Mapping

SHORTEST = 0.1
"""Seconds; shorter times count as this one."""

GROWTH = 1.1
"""How many times as long as its shortest time the longest of a bucket is."""


def bucket_of(seconds: float) -> int:
    """Return the bucket of a render time; 0 is the first."""
    return max(0, math.floor(math.log(max(seconds, SHORTEST) / SHORTEST, GROWTH)))


def percentile(counts: Mapping[int, int], share: float) -> float | None:
    """Return the time in seconds that ``share`` (0 to 1) of the renders took at most; None without any.

    ``counts`` are renders by bucket. Of a bucket, all times count as its middle one.
    """
    wanted = share * sum(counts.values())
    if wanted <= 0:
        return None
    below = 0
    for bucket in sorted(counts):
        if counts[bucket] > 0 and below + counts[bucket] >= wanted:
            return float(SHORTEST * GROWTH ** (bucket + 0.5))
        below += counts[bucket]
    return None
