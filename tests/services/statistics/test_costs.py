"""What renders have cost in a period."""

from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import User

from renders.models import UsageDay
from renders.services.statistics.costs import ROWS, Used, costs
from renders.services.statistics.period import month_of

pytestmark = pytest.mark.django_db
OCTOBER = month_of(date(2026, 10, 1))


def use(day: date = date(2026, 10, 5), owner: User | None = None, **fields: Any) -> None:
    values = {"template": "promo", "region": "us-east-1", "currency": "USD", "renders": 1, "succeeded": 1}
    UsageDay.objects.create(day=day, owner=owner, **{**values, **fields})


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("Alice", email="alice@example.com")


def test_what_a_customer_cost_in_a_month(alice: User, user: User) -> None:
    use(date(2026, 9, 30), alice, cost=100)
    use(date(2026, 10, 1), alice, cost=1, video_seconds=30)
    use(date(2026, 10, 31), alice, cost=2, renders=3, succeeded=1, failed=1, cancelled=1)
    use(date(2026, 11, 1), alice, cost=100)
    use(owner=user, cost=50)
    for text in ("Alice", "alice", "ALI", "alice@example.com", "example.com"):
        found = costs(OCTOBER, owner=text)
        assert found.total == Used(renders=4, succeeded=2, failed=1, cancelled=1, video_seconds=30, cost=3)
        assert [(share.name, share.used.cost) for share in found.by_owner] == [("Alice", 3)]
        assert found.owners_matched == 1
    assert found.total.success_rate == pytest.approx(2 / 3)


def test_a_whole_user_name_is_that_user_alone(alice: User) -> None:
    use(owner=alice, cost=1)
    use(owner=User.objects.create_user("Alice2"), cost=2)
    assert costs(OCTOBER, owner="Alice").total.cost == 1
    assert costs(OCTOBER, owner="alice").total.cost == 3


def test_a_name_that_nobody_has_costs_nothing(alice: User) -> None:
    use(owner=alice, cost=1)
    found = costs(OCTOBER, owner="bob")
    assert (found.owners_matched, found.total, found.by_owner) == (0, Used(), [])


def test_owners_and_templates_come_by_their_cost(alice: User) -> None:
    use(owner=None, template="", cost=2)
    use(owner=alice, template="", cost=1)
    use(owner=alice, template="promo", cost=4)
    found = costs(OCTOBER)
    assert [(share.key, share.name, share.used.cost) for share in found.by_owner] == [
        (alice.pk, "Alice", 5),
        (None, "", 2),
    ]
    assert [(share.key, share.used.cost) for share in found.by_template] == [("promo", 4), ("", 3)]


def test_only_the_first_of_many_owners_are_told_and_all_are_in_the_total() -> None:
    for number in range(ROWS + 5):
        use(owner=User.objects.create_user(f"user{number}"), cost=number)
    found = costs(OCTOBER)
    assert [share.used.cost for share in found.by_owner] == list(range(ROWS + 4, 4, -1))
    assert found.total.cost == sum(range(ROWS + 5))


def test_what_ended_before_its_currency_was_known_is_counted_too(alice: User) -> None:
    use(owner=alice, cost=1)
    use(owner=alice, currency="", succeeded=0, failed=1)
    found = costs(OCTOBER)
    assert (found.currency, found.other_costs) == ("USD", {})
    assert found.total == Used(renders=2, succeeded=1, failed=1, cost=1)
    assert found.by_owner[0].used == found.total


def test_costs_in_another_currency_are_not_added_to_it() -> None:
    use(cost=5)
    use(cost=3, currency="EUR")
    found = costs(OCTOBER)
    assert (found.currency, found.total.cost, found.other_costs) == ("USD", 5, {"EUR": 3})
    assert found.by_template[0].used.cost == 5


def test_without_usage_there_is_no_rate() -> None:
    found = costs(OCTOBER)
    assert (found.currency, found.total, found.total.success_rate) == ("", Used(), None)
