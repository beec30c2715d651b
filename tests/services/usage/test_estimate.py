from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from renders.models import Render, UsageDay
from renders.services.usage.estimate import Rates
from renders.services.usage.spending import cost_of_active, cost_this_month
from tests.factories import make_render, make_template

pytestmark = pytest.mark.django_db
Status = Render.Status


def succeeded(cost: float | None, **fields: Any) -> Render:
    return make_render(Status.SUCCEEDED, cost=cost, currency="USD", duration_in_frames=100, **fields)


class TestRates:
    def test_without_an_earlier_render_there_is_none(self) -> None:
        make_render(Status.FAILED, cost=9)
        succeeded(None)
        assert Rates().estimate(Render(kind="video", duration_in_frames=100)) is None
        assert Rates().currency == ""

    def test_it_is_the_mean_of_a_frame_times_the_frames(self) -> None:
        succeeded(1)
        succeeded(2)
        rates = Rates()
        assert rates.estimate(Render(kind="video", duration_in_frames=50)) == pytest.approx(0.75)
        assert rates.currency == "USD"

    def test_renders_of_the_same_template_count_before_others(self) -> None:
        promo, other = make_template("promo"), make_template("other")
        succeeded(1, template=promo)
        succeeded(5)
        rates = Rates()
        assert rates.per_frame(template_id=promo.pk, kind="video") == pytest.approx(0.01)
        assert rates.per_frame(template_id=None, kind="video") == pytest.approx(0.05)
        assert rates.per_frame(template_id=other.pk, kind="video") == pytest.approx(0.03)

    def test_those_of_a_template_are_found_behind_many_of_others(self, monkeypatch: pytest.MonkeyPatch) -> None:
        promo = make_template("promo")
        succeeded(1, template=promo, finished_at=timezone.now() - timedelta(days=3))
        succeeded(5)
        monkeypatch.setattr("renders.services.usage.estimate.NEWEST_ENDED", 1)
        assert Rates().per_frame(template_id=promo.pk, kind="video") == pytest.approx(0.01)

    def test_a_still_is_compared_with_stills(self) -> None:
        succeeded(5)
        assert Rates().estimate(Render(kind="still", frame=0)) is None
        make_render(
            Status.SUCCEEDED, kind="still", frame=0, codec="", duration_in_frames=None, cost=0.02, currency="USD"
        )
        assert Rates().estimate(Render(kind="still", frame=0)) == pytest.approx(0.02)

    def test_where_no_length_is_known_that_of_its_template_counts(self) -> None:
        promo = make_template("promo", duration_in_frames=200)
        succeeded(1)
        assert Rates().estimate(Render(kind="video", template=promo)) == pytest.approx(2)
        assert Rates().estimate(Render(kind="video")) == pytest.approx(6)


class TestSpending:
    def test_this_month_is_what_ended_since_its_first_day(self, user: User) -> None:
        today = timezone.now().date()
        before = today.replace(day=1) - timedelta(days=1)
        for day, owner, cost in (
            (today, user, 1),
            (today.replace(day=1), user, 2),
            (before, user, 4),
            (today, None, 8),
        ):
            UsageDay.objects.create(day=day, owner=owner, region=f"r{cost}", cost=cost)
        assert (cost_this_month(user), cost_this_month(None)) == (3, 8)

    def test_active_renders_count_by_their_cost_or_their_estimate(self, user: User) -> None:
        succeeded(1)
        make_render(owner=user, duration_in_frames=100, cost=3)
        make_render(Status.QUEUED, owner=user, duration_in_frames=200)
        make_render(Status.QUEUED, owner=user, template=make_template(), duration_in_frames=50)
        make_render(Status.QUEUED, owner=None)
        with CaptureQueriesContext(connection) as queries:
            assert cost_of_active(user, Rates()) == pytest.approx(3 + 2 + 0.5)
        assert len(queries) == 4

    def test_without_anything_to_go_by_active_ones_cost_what_they_have_so_far(self, user: User) -> None:
        make_render(owner=user, cost=3)
        make_render(Status.QUEUED, owner=user)
        assert cost_of_active(user, Rates()) == 3
        assert cost_of_active(None, Rates()) == 0
