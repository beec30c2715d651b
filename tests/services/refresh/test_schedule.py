from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from renders.models import Render
from renders.services.refresh.schedule import next_refresh_at

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def after(*, watched_at: datetime | None = None, **fields: Any) -> float | None:
    """How many seconds later a render with these fields is read again."""
    at = next_refresh_at(Render(**{"status": Render.Status.RENDERING, **fields}), NOW, watched_at=watched_at)
    return None if at is None else (at - NOW).total_seconds()


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


class TestNextRefresh:
    @pytest.mark.parametrize(("age", "seconds"), [(0, 1), (9, 1), (10, 1), (50, 5), (150, 15), (3600, 15)])
    def test_it_eases_with_age(self, age: float, seconds: float) -> None:
        assert after(submitted_at=ago(age)) == seconds

    @pytest.mark.parametrize(("progress", "seconds"), [(0.1, 10), (0.5, 10), (0.9, 5.556), (0.99, 1)])
    def test_it_is_sooner_near_the_end(self, progress: float, seconds: float) -> None:
        assert after(submitted_at=ago(100), progress=progress) == pytest.approx(seconds, abs=0.001)

    @pytest.mark.parametrize(("watched", "seconds"), [(1, 1), (9, 1), (11, 15)])
    def test_it_is_sooner_while_somebody_watches(self, watched: float, seconds: float) -> None:
        assert after(submitted_at=ago(500), watched_at=ago(watched)) == seconds

    @pytest.mark.parametrize(("asked", "seconds"), [(1, 1), (11, 15)])
    def test_and_after_it_was_to_be_cancelled(self, asked: float, seconds: float) -> None:
        assert after(submitted_at=ago(500), cancel_requested_at=ago(asked)) == seconds

    @pytest.mark.parametrize("status", [status for status in Render.Status if status != Render.Status.RENDERING])
    def test_nothing_else_is_read(self, status: str) -> None:
        assert after(status=status, finished_at=NOW, submitted_at=ago(9)) is None

    @pytest.mark.parametrize(("age", "seconds"), [(0, 300), (299, 1), (300, 3300), (3600, 82_800), (86_400, None)])
    @pytest.mark.parametrize("reason", ["timed_out", "lost"])
    def test_what_was_given_up_is_looked_at_three_times(self, reason: str, age: float, seconds: float | None) -> None:
        assert after(status="failed", failure_reason=reason, finished_at=ago(age)) == seconds

    @pytest.mark.parametrize("reason", ["rejected", "render_error"])
    def test_what_remotion_has_ended_is_not(self, reason: str) -> None:
        assert after(status="failed", failure_reason=reason, finished_at=NOW) is None
