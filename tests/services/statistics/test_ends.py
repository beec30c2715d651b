"""What is counted when renders end."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from renders.models import NO_BUCKET, EndCount, EndKey, Event, Render, transitions
from renders.services.events.publish import happened, publish
from renders.services.refresh.apply import change_render
from renders.services.statistics.render_times import bucket_of
from tests.factories import make_render, make_template, make_unconfirmed

pytestmark = pytest.mark.django_db
Status, Reason = Render.Status, Render.FailureReason
succeed = partial(transitions.mark_succeeded, output_bucket="b", output_key="k", output_size=1)
started = partial(
    transitions.mark_rendering, render_id="abc", bucket_name="b", cloudwatch_logs="", folder_in_s3_console=""
)


def change(render: Render, transition: Any, **arguments: Any) -> None:
    change_render(render.pk, partial(transition, at=timezone.now(), **arguments))


def counts() -> dict[tuple[str, str, int], int]:
    rows = EndCount.objects.exclude(renders=0)
    return {(row.status, row.failure_reason, row.time_bucket): row.renders for row in rows}


def test_a_success_is_counted_with_its_render_time() -> None:
    now = timezone.now()
    render = make_render(submitted_at=now - timedelta(seconds=42))
    change_render(render.pk, partial(succeed, at=now))
    row = EndCount.objects.get()
    assert (row.day, row.status, row.time_bucket, row.renders) == (now.date(), "succeeded", bucket_of(42), 1)


def test_render_times_are_those_of_videos() -> None:
    change(make_render(kind="still", frame=0), succeed)
    assert counts() == {("succeeded", "", NO_BUCKET): 1}


def test_failures_are_counted_by_reason() -> None:
    for reason in (Reason.TIMED_OUT, Reason.RENDER_ERROR, Reason.TIMED_OUT):
        change(make_render(), transitions.mark_failed, reason=reason, error="Broken.")
    change(make_render(Status.QUEUED), transitions.request_cancel)
    assert counts() == {
        ("failed", "timed_out", NO_BUCKET): 2,
        ("failed", "render_error", NO_BUCKET): 1,
        ("cancelled", "", NO_BUCKET): 1,
    }


def test_a_failure_that_succeeds_after_all_is_none_on_the_day_on_which_it_failed() -> None:
    render = make_render()
    failed_at = timezone.now() - timedelta(days=1)
    change_render(render.pk, partial(transitions.mark_failed, reason=Reason.TIMED_OUT, error="Late.", at=failed_at))
    assert EndCount.objects.get().day == failed_at.date()
    change(render, succeed)
    assert [(row.day, row.status) for row in EndCount.objects.exclude(renders=0)] == [
        (timezone.now().date(), "succeeded")
    ]


def test_a_lost_render_that_is_found_has_not_ended() -> None:
    render = make_unconfirmed()
    change(render, transitions.mark_failed, reason=Reason.LOST, error="Lost.")
    change_render(render.pk, started)
    assert counts() == {}
    change(render, transitions.mark_failed, reason=Reason.RENDER_ERROR, error="Broken.")
    assert counts() == {("failed", "render_error", NO_BUCKET): 1}


def test_a_recovery_whose_end_was_purged_takes_nothing_back() -> None:
    render = make_render()
    change(render, transitions.mark_failed, reason=Reason.TIMED_OUT, error="Late.")
    Event.objects.all().delete()
    change(render, succeed)
    assert sum(counts().values()) == 2


def end_many(number: int) -> int:
    """End so many renders at once, one of each of three templates and for each reason; return the statements."""
    templates = [make_template(f"t{number}-{each}") for each in range(3)]
    renders = [make_render(template=templates[each % 3], cost=1, currency="USD") for each in range(number)]
    now = timezone.now()
    for each, render in enumerate(renders):
        if each % 2:
            succeed(render, at=now + timedelta(seconds=each))
        else:
            transitions.mark_failed(render, list(Reason)[each % 4], error="Broken.", at=now)
    types_of = happened(renders)
    Render.objects.save_changes(renders)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        publish(types_of)
    return sum("renders_endcount" in query["sql"] for query in queries)


def test_however_many_end_at_once_they_are_counted_in_one_statement() -> None:
    assert [end_many(number) for number in (1, 12, 60)] == [1, 1, 1]
    assert sum(counts().values()) == 73


def test_progress_counts_nothing(django_assert_max_num_queries: Any) -> None:
    render = make_render()
    with django_assert_max_num_queries(1):
        publish({render.pk: [Event.Type.PROGRESSED]})


def test_counts_of_the_same_key_are_added_together() -> None:
    key = EndKey(datetime(2026, 10, 3, tzinfo=UTC).date(), "succeeded", time_bucket=4)
    EndCount.objects.add({key: 3})
    EndCount.objects.add({key: 2, key._replace(time_bucket=5): 1, key._replace(time_bucket=6): 0})
    assert counts() == {("succeeded", "", 4): 5, ("succeeded", "", 5): 1}
