"""A batch completes exactly once."""

import threading
from functools import partial

import pytest
from django.db import connection
from django.utils import timezone

from renders.models import Batch, Event, Render, transitions
from renders.services.refresh.apply import change_render
from tests.factories import make_render

Status = Render.Status
COMPLETED = Event.Type.BATCH_COMPLETED


def fail(render: Render) -> None:
    reason = Render.FailureReason.TIMED_OUT
    change_render(render.pk, partial(transitions.mark_failed, reason=reason, error="Late.", at=timezone.now()))


def completed() -> int:
    return Event.objects.filter(type=COMPLETED).count()


@pytest.mark.django_db
class TestComplete:
    def test_with_the_end_of_its_last_render(self) -> None:
        batch = Batch.objects.create()
        first, second = (make_render(batch=batch) for _ in range(2))
        fail(first)
        assert completed() == 0
        fail(second)
        batch.refresh_from_db()
        assert batch.completed_at
        event = Event.objects.latest("id")
        assert (event.type, event.batch_id, event.render_id) == (COMPLETED, batch.pk, None)
        assert (event.data["id"], event.data["counts"]["failed"], event.data["progress"]) == (str(batch.pk), 2, 1.0)

    def test_a_recovery_does_not_complete_it_again(self) -> None:
        batch = Batch.objects.create()
        render = make_render(batch=batch)
        fail(render)
        succeeded = partial(
            transitions.mark_succeeded, output_bucket="b", output_key="k", output_size=1, at=timezone.now()
        )
        change_render(render.pk, succeeded)
        assert Event.objects.latest("id").type == Event.Type.SUCCEEDED
        assert completed() == 1

    def test_renders_of_no_batch_ask_for_none(self) -> None:
        render = make_render()
        with connection.execute_wrapper(_refuse_batches):
            fail(render)


def _refuse_batches(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
    assert 'FROM "renders_batch"' not in sql
    return execute(sql, params, many, context)


@pytest.mark.django_db(transaction=True)
def test_of_renders_that_end_at_once_one_completes_it() -> None:
    batch = Batch.objects.create()
    renders = [make_render(batch=batch) for _ in range(6)]
    barrier = threading.Barrier(len(renders))

    def end(render: Render) -> None:
        try:
            barrier.wait(10)
            fail(render)
        finally:
            connection.close()

    threads = [threading.Thread(target=end, args=(render,)) for render in renders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Render.objects.filter(status=Status.FAILED).count() == 6
    assert completed() == 1
    assert Event.objects.latest("id").type == COMPLETED
