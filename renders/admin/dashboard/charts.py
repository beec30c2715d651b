"""The dashboard's charts, for Unfold's Chart.js, and the same figures as tables."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from renders.admin.display import money, seconds
from renders.services.statistics.costs import Costs, Used
from renders.services.statistics.outcomes import Outcomes, RenderTimes
from renders.services.statistics.period import Period


@dataclass(frozen=True)
class Series:
    """One value for each day; None where there is none."""

    name: str
    colour: str
    """The name of a CSS variable."""
    values: Sequence[float | None]
    shown: Callable[[float | None], str]


@dataclass(frozen=True)
class Chart:
    """Series of a period, as bars that are stacked or as lines."""

    title: str
    kind: str
    days: Sequence[date]
    series: Sequence[Series]

    @property
    def data(self) -> str:
        """Chart.js's data, as JSON."""
        datasets = [
            {
                "label": series.name,
                "data": series.values,
                "borderColor": f"var({series.colour})",
                "backgroundColor": f"var({series.colour})",
                "spanGaps": True,
            }
            for series in self.series
        ]
        return json.dumps({"labels": [f"{day.day} {day:%b}" for day in self.days], "datasets": datasets})

    @property
    def options(self) -> str:
        """Chart.js's options, as JSON."""
        is_stacked = self.kind == "bar"
        values = {**_ticks(6), **({"precision": 0} if self.is_of_counts else {})}
        return json.dumps(
            {
                "animation": False,
                "maintainAspectRatio": False,
                "interaction": {"mode": "index", "intersect": False},
                "plugins": {"legend": {"display": len(self.series) > 1, "position": "bottom"}},
                "scales": {
                    "x": {"stacked": is_stacked, "grid": {"display": False}, "ticks": _ticks(8)},
                    "y": {"stacked": is_stacked, "beginAtZero": True, "grid": {"display": True}, "ticks": values},
                },
            }
        )

    @property
    def is_of_counts(self) -> bool:
        return all(series.shown is _count for series in self.series)

    @property
    def headers(self) -> list[str]:
        return ["Day", *(series.name for series in self.series)]

    @property
    def rows(self) -> list[list[str]]:
        """The same figures in words, the newest day first; days without any are left out."""
        rows = []
        for number, day in reversed(list(enumerate(self.days))):
            values = [series.values[number] for series in self.series]
            if any(values):
                shown = [series.shown(value) for series, value in zip(self.series, values, strict=True)]
                rows.append([f"{day}", *shown])
        return rows


def charts_of(period: Period, costs: Costs, outcomes: Outcomes | None) -> list[Chart]:
    """Return the charts that have something to show; without ``outcomes``, those that are counted by owner."""
    used, days = costs.by_day, period.days

    def per_day(value: Callable[[Used], float]) -> list[float | None]:
        return [value(used[day]) if day in used else 0 for day in days]

    charts = [
        Chart(
            "Cost by day",
            "bar",
            days,
            [
                Series(
                    f"Cost in {costs.currency or 'USD'}",
                    "--color-primary-600",
                    per_day(lambda used: used.cost),
                    lambda value: money(value, costs.currency),
                )
            ],
        ),
        Chart(
            "Renders that ended, by day",
            "bar",
            days,
            [
                Series("Succeeded", "--color-green-600", per_day(lambda used: used.succeeded), _count),
                Series("Failed", "--color-red-600", per_day(lambda used: used.failed), _count),
                Series("Cancelled", "--color-base-400", per_day(lambda used: used.cancelled), _count),
            ],
        ),
    ]
    if outcomes and outcomes.times_by_day:
        charts.append(_render_times(days, outcomes.times_by_day))
    return charts if used else []


def _render_times(days: Sequence[date], times: Mapping[date, RenderTimes]) -> Chart:
    none = RenderTimes(None, None)
    median = [times.get(day, none).median for day in days]
    p95 = [times.get(day, none).p95 for day in days]
    series = [
        Series("Median, s", "--color-primary-600", median, seconds),
        Series("p95, s", "--color-orange-500", p95, seconds),
    ]
    return Chart("Render time by day", "line", days, series)


def _count(value: float | None) -> str:
    return f"{value or 0:,.0f}"


def _ticks(limit: int) -> dict[str, Any]:
    return {"maxTicksLimit": limit, "maxRotation": 0}
