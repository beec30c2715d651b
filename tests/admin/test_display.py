"""How the admin shows values."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from renders.admin.display import NOTHING, age, moment, money


def test_a_time_has_seconds_and_a_zone() -> None:
    assert moment(datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)) == "2026-03-04 05:06:07 UTC"


@pytest.mark.parametrize(
    ("ago", "shown"),
    [
        (timedelta(seconds=-3), "0 s ago"),
        (timedelta(seconds=42), "42 s ago"),
        (timedelta(minutes=3), "3\N{NO-BREAK SPACE}minutes ago"),
        (timedelta(hours=5, minutes=40), "5\N{NO-BREAK SPACE}hours ago"),
    ],
)
def test_an_age_is_in_its_largest_unit_and_the_time_is_on_hover(ago: timedelta, shown: str) -> None:
    at = timezone.now() - ago
    assert f">{shown}<" in age(at)
    assert f'title="{moment(at)}"' in age(at)


def test_an_amount_is_told_to_a_hundredth_of_a_cent() -> None:
    assert money(1234.56789, "USD") == "1,234.5679\N{NO-BREAK SPACE}USD"


@pytest.mark.parametrize(
    ("amount", "told"), [(0.00009, "under 0.0001"), (1e-9, "under 0.0001"), (0.0001, "0.0001"), (0, "0.0000")]
)
def test_a_small_amount_is_not_told_to_be_nothing(amount: float, told: str) -> None:
    assert money(amount, "USD") == f"{told}\N{NO-BREAK SPACE}USD"


def test_what_is_not_known_is_a_dash() -> None:
    assert {moment(None), age(None), money(None, "")} == {NOTHING}
