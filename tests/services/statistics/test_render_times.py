"""Percentiles of render times that were counted in buckets."""

import random
import statistics
from collections import Counter

import pytest

from renders.services.statistics.render_times import bucket_of, percentile


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_percentile_is_that_of_the_times_within_five_percent(share: float) -> None:
    chance = random.Random(7)
    times = [chance.lognormvariate(2.5, 0.8) for _ in range(5000)]
    exact = statistics.quantiles(times, n=100)[round(share * 100) - 1]
    assert percentile(Counter(map(bucket_of, times)), share) == pytest.approx(exact, rel=0.05)


@pytest.mark.parametrize("seconds", [0, 0.0001, 0.1, 1, 59.9, 7200])
def test_a_time_alone_is_every_percentile(seconds: float) -> None:
    counts = Counter([bucket_of(seconds)])
    for share in (0.01, 0.5, 1):
        assert percentile(counts, share) == pytest.approx(max(seconds, 0.1), rel=0.05)


def test_buckets_rise_with_the_time() -> None:
    buckets = [bucket_of(seconds) for seconds in (0.05, 0.2, 1, 5, 60, 600, 86_400)]
    assert buckets == sorted(set(buckets))


@pytest.mark.parametrize("counts", [{}, {3: 0}, {3: 2, 5: -2}])
def test_without_renders_there_is_no_percentile(counts: dict[int, int]) -> None:
    assert percentile(counts, 0.5) is None
