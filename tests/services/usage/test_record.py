"""What is recorded of renders when they end."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Sum
from django.utils import timezone

from renders.models import LedgerEntry, Render, UsageDay, transitions
from renders.services.events.publish import happened, publish
from renders.services.refresh.apply import change_render
from tests.factories import make_render, make_template, make_unconfirmed

pytestmark = pytest.mark.django_db
Status, Reason = Render.Status, Render.FailureReason


def succeed(render: Render, **fields: Any) -> None:
    def transition(row: Render) -> None:
        row.set_fields(**fields)
        transitions.mark_succeeded(row, output_bucket="b", output_key="k", output_size=1, at=timezone.now())

    change_render(render.pk, transition)


def fail(render: Render, reason: Render.FailureReason = Reason.RENDER_ERROR) -> None:
    change_render(render.pk, partial(transitions.mark_failed, reason=reason, error="Broken.", at=timezone.now()))


def counts(day: UsageDay) -> tuple[float, ...]:
    return tuple(getattr(day, name) for name in UsageDay.COUNTED)


class TestRecordEnds:
    def test_an_end_is_an_entry_and_part_of_its_day(self, user: User) -> None:
        render = make_render(owner=user, template=make_template("promo"), cost=0.5, currency="USD", function_seconds=30)
        succeed(render)
        entry, day = LedgerEntry.objects.get(), UsageDay.objects.get()
        assert counts(day) == (1, 1, 0, 0, 5.0, 30, 0.5)
        assert [getattr(day, name) for name in UsageDay.COUNTED] == [getattr(entry, name) for name in UsageDay.COUNTED]
        keys = [getattr(day, name) for name in UsageDay.GROUPED]
        assert keys == [timezone.now().date(), user.pk, "promo", "us-east-1", "USD"]
        assert entry.render_uuid == render.pk

    def test_a_failed_render_has_made_no_video_but_cost_something(self) -> None:
        fail(make_render(cost=0.1, currency="USD", function_seconds=3))
        assert counts(UsageDay.objects.get()) == (1, 0, 1, 0, 0, 3, 0.1)

    def test_a_render_that_was_cancelled_in_the_queue_has_used_nothing(self) -> None:
        render = make_render(Status.QUEUED)
        change_render(render.pk, partial(transitions.request_cancel, at=timezone.now()))
        assert counts(UsageDay.objects.get()) == (1, 0, 0, 1, 0, 0, 0)

    def test_ends_are_added_to_their_days(self, user: User) -> None:
        for owner in (None, None, user):
            succeed(make_render(owner=owner, cost=1, currency="USD"))
        assert {day.owner: (day.renders, day.cost) for day in UsageDay.objects.all()} == {None: (2, 2), user: (1, 1)}
        assert LedgerEntry.objects.count() == 3

    def test_several_that_end_at_once_are_added_together(self) -> None:
        renders = [make_render(cost=cost, currency="USD") for cost in (1, 2, 4)]
        for render in renders:
            transitions.mark_failed(render, Reason.RENDER_ERROR, error="Broken.", at=timezone.now())
        types_of = happened(renders)
        Render.objects.save_changes(renders)
        publish(types_of)
        assert (UsageDay.objects.get().failed, UsageDay.objects.get().cost) == (3, 7)

    def test_a_render_that_succeeds_after_all_moves_from_failed_to_succeeded(self) -> None:
        render = make_render(cost=0.1, currency="USD", function_seconds=10)
        fail(render, Reason.TIMED_OUT)
        succeed(render, cost=0.4, function_seconds=40)
        assert counts(UsageDay.objects.get()) == (1, 1, 0, 0, 5.0, 40, 0.4)
        assert LedgerEntry.objects.count() == 2

    def test_it_is_counted_once_where_its_currency_became_known_later(self) -> None:
        render = make_unconfirmed()
        fail(render, Reason.LOST)
        assert counts(UsageDay.objects.get(currency="")) == (1, 0, 1, 0, 0, 0, 0)
        change_render(
            render.pk,
            partial(
                transitions.mark_rendering,
                render_id="abc",
                bucket_name="b",
                cloudwatch_logs="",
                folder_in_s3_console="",
            ),
        )
        succeed(render, cost=0.4, currency="USD")
        assert counts(UsageDay.objects.get(currency="")) == (0,) * 7
        assert counts(UsageDay.objects.get(currency="USD")) == (1, 1, 0, 0, 5.0, 0, 0.4)

    def test_a_correction_is_of_the_day_on_which_it_was_known(self) -> None:
        render = make_render(cost=0.1, currency="USD")
        fail(render, Reason.TIMED_OUT)
        yesterday = timezone.now().date() - timedelta(days=1)
        LedgerEntry.objects.update(day=yesterday)
        UsageDay.objects.update(day=yesterday)
        succeed(render, cost=0.3)
        today = UsageDay.objects.exclude(day=yesterday).get()
        assert (today.renders, today.succeeded, today.failed, round(today.cost, 6)) == (0, 1, -1, 0.2)

    def test_the_ledger_and_the_days_agree(self) -> None:
        for status in (Status.RENDERING, Status.QUEUED, Status.SUBMITTING):
            fail(make_render(status, cost=0.25, currency="USD"))
        sums = {name: Sum(name) for name in UsageDay.COUNTED}
        assert LedgerEntry.objects.aggregate(**sums) == UsageDay.objects.aggregate(**sums)

    def test_it_stays_when_the_render_is_deleted(self) -> None:
        render = make_render(cost=0.1)
        fail(render)
        render.delete()
        assert (LedgerEntry.objects.count(), UsageDay.objects.get().renders) == (1, 1)
