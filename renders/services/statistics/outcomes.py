"""How the renders of a period have ended: render times, and failures by reason. From the counts of ends."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date

from renders.models import NO_BUCKET, EndCount, Render
from renders.services.statistics.period import Period, today
from renders.services.statistics.render_times import percentile


@dataclass(frozen=True)
class RenderTimes:
    """Render times of videos that succeeded, in seconds; None without any."""

    median: float | None
    p95: float | None


@dataclass(frozen=True)
class Failures:
    """Renders that failed for one reason."""

    reason: str
    count: int
    newest: Render | None


@dataclass(frozen=True)
class Outcomes:
    """Ends of a period, of all owners."""

    times: RenderTimes
    times_by_day: dict[date, RenderTimes]
    failures: list[Failures]
    """The most frequent reason first."""


def outcomes(period: Period) -> Outcomes:
    """Return how the renders of a period have ended: two queries, and one for each reason of failures."""
    by_day: dict[date, Counter[int]] = defaultdict(Counter)
    by_reason: Counter[str] = Counter()
    counts = EndCount.objects.between(period.first, period.last)
    for day, reason, bucket, renders in counts.values_list("day", "failure_reason", "time_bucket", "renders"):
        if bucket != NO_BUCKET:
            by_day[day][bucket] += renders
        elif reason:
            by_reason[reason] += renders
    together: Counter[int] = Counter()
    for buckets in by_day.values():
        together.update(buckets)
    return Outcomes(
        times=_times(together),
        times_by_day={day: _times(buckets) for day, buckets in sorted(by_day.items())},
        failures=[
            Failures(reason, count, _newest(reason, period)) for reason, count in by_reason.most_common() if count > 0
        ],
    )


def failed_today() -> int:
    """Return how many renders have failed since midnight, in UTC."""
    counts = EndCount.objects.filter(day=today(), status=Render.Status.FAILED)
    return max(0, sum(counts.values_list("renders", flat=True)))


def _times(buckets: Counter[int]) -> RenderTimes:
    return RenderTimes(median=percentile(buckets, 0.5), p95=percentile(buckets, 0.95))


def _newest(reason: str, period: Period) -> Render | None:
    failed = Render.objects.with_failure_reason(reason).filter(created_at__lt=period.end)
    newest = failed.select_related("owner").order_by("-created_at", "-id")
    return newest.only("render_id", "error", "created_at", "finished_at", "owner__username").first()
