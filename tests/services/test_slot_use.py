"""Whose queued render starts: quotas, shares, priority and age."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from renders.models import Quota, Render
from renders.services.admission import has_free_slots, next_to_start
from renders.services.dispatch import dispatch_next
from renders.services.slot_use import SlotUse
from tests.factories import make_render
from tests.models.query_meter import metered
from tests.servers import ScriptedServer

pytestmark = pytest.mark.django_db
Status = Render.Status


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada")


@pytest.fixture
def bob() -> User:
    return User.objects.create_user("bob")


def queue(owner: User | None, *, minutes: float = 0, **fields: Any) -> Render:
    """A render that was queued so long ago; it needs 4 slots."""
    created_at = timezone.now() - timedelta(minutes=minutes)
    rank = created_at - timedelta(minutes=fields.get("priority", 0))
    render = make_render(Status.QUEUED, owner=owner, queue_rank=rank, **fields)
    Render.objects.filter(pk=render.pk).update(created_at=created_at)
    return Render.objects.get(pk=render.pk)


class TestQuota:
    def test_an_owner_who_uses_all_that_they_may_is_passed_over(self, ada: User, bob: User) -> None:
        Quota.objects.create(owner=ada, max_functions=8)
        make_render(owner=ada, slots_needed=8)
        queue(ada, minutes=9, priority=50)
        assert next_to_start() is None
        assert next_to_start() is None
        theirs = queue(bob)
        assert next_to_start() == theirs

    def test_the_default_quota_holds_for_each_owner_by_themselves(self, ada: User, bob: User) -> None:
        Quota.objects.create(max_functions=4)
        for owner in (ada, None):
            make_render(owner=owner)
            queue(owner, minutes=5)
        assert next_to_start() is None
        theirs = queue(bob)
        assert next_to_start() == theirs

    def test_ones_own_quota_replaces_the_default(self, ada: User) -> None:
        Quota.objects.create(max_functions=4)
        Quota.objects.create(owner=ada)
        make_render(owner=ada)
        mine = queue(ada)
        assert next_to_start() == mine

    def test_a_render_that_needs_more_than_the_quota_runs_as_its_owners_only_one(self, ada: User) -> None:
        Quota.objects.create(owner=ada, max_functions=2)
        large = queue(ada)
        running = make_render(owner=ada, slots_needed=1)
        assert next_to_start() is None
        running.delete()
        assert next_to_start() == large

    def test_a_quota_of_nothing_starts_nothing(self, ada: User) -> None:
        Quota.objects.create(owner=ada, max_functions=0)
        render = queue(ada, slots_needed=1)
        assert next_to_start() is None
        assert not has_free_slots(render)

    def test_the_queue_of_an_owner_at_their_quota_leaves_its_slots_to_new_renders(
        self, ada: User, bob: User, settings: Any
    ) -> None:
        settings.REMOTION_CONCURRENCY = 12
        Quota.objects.create(owner=ada, max_functions=4)
        make_render(owner=ada)
        for _ in range(5):
            waiting = queue(ada, slots_needed=3)
        assert has_free_slots(Render(owner=bob, slots_needed=8))
        assert not has_free_slots(Render(owner=bob, slots_needed=9))
        assert not has_free_slots(waiting)
        assert not has_free_slots(Render(owner=ada, slots_needed=1))

    def test_a_new_render_gets_what_the_others_in_the_queue_leave(self, ada: User, bob: User, settings: Any) -> None:
        settings.REMOTION_CONCURRENCY = 12
        for _ in range(2):
            queue(ada)
        assert has_free_slots(Render(owner=bob, slots_needed=4))
        assert not has_free_slots(Render(owner=bob, slots_needed=5))
        Quota.objects.create(owner=ada, max_functions=10)
        assert not has_free_slots(Render(owner=ada, slots_needed=3))


class TestOrder:
    def test_who_uses_least_of_what_they_may_comes_first(self, ada: User, bob: User) -> None:
        Quota.objects.create(owner=ada, max_functions=100)
        Quota.objects.create(owner=bob, max_functions=10)
        make_render(owner=ada, slots_needed=20)
        make_render(owner=bob, slots_needed=4)
        mine, theirs = queue(ada), queue(bob, minutes=8)
        assert next_to_start() == mine  # a fifth of her share, and he uses two fifths
        Quota.objects.all().delete()
        assert next_to_start() == theirs

    def test_a_large_queue_delays_no_other_owner(
        self, ada: User, bob: User, numbered: ScriptedServer, settings: Any
    ) -> None:
        settings.REMOTION_CONCURRENCY = 16
        for number in range(10):
            queue(ada, minutes=9 - number / 10)
        late = [queue(bob, minutes=0.1), queue(bob)]
        started = [dispatch_next() for _ in range(4)]
        assert [render.owner for render in started if render] == [ada, bob, ada, bob]
        assert {render for render in started if render and render.owner == bob} == set(late)

    def test_priority_comes_before_the_share(self, ada: User, bob: User) -> None:
        make_render(owner=ada)
        urgent = queue(ada, priority=1)
        queue(bob)
        assert next_to_start() == urgent

    def test_of_two_who_use_the_same_the_older_render_starts(self, ada: User, bob: User) -> None:
        queue(ada, minutes=3)
        older = queue(bob, minutes=4)
        assert next_to_start() == older

    def test_within_an_owner_a_minute_is_worth_a_point(self, ada: User) -> None:
        queue(ada, minutes=3)
        better = queue(ada, priority=4)
        assert next_to_start() == better

    @pytest.mark.parametrize(("minutes", "starts"), [(9, False), (11, True)])
    def test_an_owner_of_whom_nothing_runs_gains_ten_points_each_ten_minutes(
        self, ada: User, bob: User, minutes: int, starts: bool
    ) -> None:
        make_render(owner=ada)
        queue(ada, priority=9)
        starved = queue(bob, minutes=minutes)
        assert (next_to_start() == starved) is starts

    def test_an_owner_of_whom_something_runs_gains_none(self, ada: User, bob: User) -> None:
        make_render(owner=bob)
        queue(bob, minutes=300)
        urgent = queue(ada, priority=1)
        assert next_to_start() == urgent

    def test_nothing_smaller_overtakes_the_one_whose_turn_it_is(self, ada: User, bob: User, settings: Any) -> None:
        settings.REMOTION_CONCURRENCY = 10
        make_render(owner=None, slots_needed=4)
        queue(ada, minutes=1, slots_needed=8)
        queue(bob, slots_needed=1)
        assert next_to_start() is None

    def test_nobody_starts_while_aws_has_no_capacity_for_the_one_whose_turn_it_is(self, ada: User, bob: User) -> None:
        queue(ada, minutes=1, dispatch_after=timezone.now() + timedelta(minutes=1))
        queue(bob)
        assert next_to_start() is None
        assert not has_free_slots(Render(owner=bob, slots_needed=1))


def test_one_that_is_cancelled_while_it_is_chosen_gives_its_turn_to_the_next(
    ada: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = queue(ada, minutes=1), queue(bob)
    fits = SlotUse.fits

    def fits_after_a_cancel(use: SlotUse, render: Render) -> bool:
        Render.objects.filter(pk=first.pk).update(status=Status.CANCELLED, finished_at=timezone.now())
        return fits(use, render)

    monkeypatch.setattr(SlotUse, "fits", fits_after_a_cancel)
    assert next_to_start() == second


COUNT, OWNERS = 100_000, 50
SERIES = {
    "postgresql": ("", f"generate_series(1, {COUNT}) AS series(n)", "gen_random_uuid()"),
    "sqlite": (
        f"WITH RECURSIVE series(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM series WHERE n < {COUNT})",  # noqa: S608
        "series",
        "lower(hex(randomblob(16)))",
    ),
}


def fill_queue() -> None:
    """Insert 100,000 queued renders of 50 owners and of none, each owner's as old as the others'."""
    owners = User.objects.bulk_create(User(username=f"owner {number}") for number in range(OWNERS))
    pattern = make_render(Status.QUEUED)
    with_series, series, new_id = SERIES[connection.vendor]
    values = {"id": new_id, "owner_id": f"CASE WHEN n %% 51 = 50 THEN NULL ELSE {owners[0].pk} + n %% 51 END"}
    columns = [field.column for field in Render._meta.concrete_fields]
    selected = ", ".join(values.get(str(column), f'row."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO renders_render ({names}) {with_series} SELECT {selected}"  # noqa: S608
            f" FROM renders_render AS row, {series} WHERE row.id = %s",
            [pattern.pk if connection.vendor == "postgresql" else pattern.pk.hex],
        )
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE renders_render")


@pytest.mark.django_db(transaction=True)  # ends with TRUNCATE: dead rows would change the plans of later tests
def test_a_hundred_thousand_queued_renders_cost_a_step_for_each_owner(settings: Any) -> None:
    settings.REMOTION_CONCURRENCY = 200
    fill_queue()
    for ask in (next_to_start, lambda: has_free_slots(Render(slots_needed=4))):
        with transaction.atomic(), metered() as cost:
            assert bool(ask()) is (ask is next_to_start)  # a new render may not overtake so many
        assert "render_owner_queued" in cost.indexes
        assert "render_queued" not in cost.indexes
        # Steps of SQLite's virtual machine, and rows read on PostgreSQL.
        assert cost.work <= {"sqlite": 20_000, "postgresql": 1_000}[connection.vendor], cost
