"""What is published, and in which order."""

import threading
import time
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection, transaction
from django.utils import timezone

from renders.models import Event, Render, WebhookEndpoint, transitions
from renders.services.events.publish import publish
from renders.services.refresh.apply import change_render
from tests.factories import make_render, make_unconfirmed

Status, Type = Render.Status, Event.Type
started = partial(
    transitions.mark_rendering, render_id="abc", bucket_name="b", cloudwatch_logs="", folder_in_s3_console=""
)


def types() -> list[str]:
    return list(Event.objects.values_list("type", flat=True))


@pytest.mark.django_db
class TestPublish:
    def test_a_start_is_published_with_the_row_as_it_is_then(self) -> None:
        render = make_unconfirmed(external_id="order-1", metadata={"shop": "a"})
        change_render(render.pk, started)
        event = Event.objects.get()
        assert (event.type, event.render_id, event.owner_id) == (Type.STARTED, render.pk, None)
        told = {name: event.data[name] for name in ("status", "renderId", "externalId", "metadata")}
        assert told == {"status": "rendering", "renderId": "abc", "externalId": "order-1", "metadata": {"shop": "a"}}

    def test_an_end_that_changes_nothing_is_no_event(self) -> None:
        render = make_render(Status.SUCCEEDED)
        failed = partial(
            transitions.mark_failed, reason=Render.FailureReason.RENDER_ERROR, error="Broken.", at=timezone.now()
        )
        change_render(render.pk, failed)
        assert types() == []

    def test_an_output_that_appears_after_all_is_a_recovery_and_a_success(self) -> None:
        render = make_render(Status.FAILED, failure_reason=Render.FailureReason.TIMED_OUT)
        succeeded = partial(
            transitions.mark_succeeded, output_bucket="b", output_key="k", output_size=1, at=timezone.now()
        )
        change_render(render.pk, succeeded)
        assert types() == [Type.RECOVERED, Type.SUCCEEDED]

    def test_a_lost_render_that_is_found_is_a_recovery(self) -> None:
        render = make_render(Status.FAILED, failure_reason=Render.FailureReason.LOST, render_id="", bucket_name="")
        change_render(render.pk, started)
        assert types() == [Type.RECOVERED]

    def test_progress_is_published_only_where_an_endpoint_names_it(self) -> None:
        render = make_render()
        change_render(render.pk, progressed(0.1))
        assert types() == []
        endpoint = WebhookEndpoint.objects.create(url="https://example.com/")
        change_render(render.pk, progressed(0.2))
        assert types() == []  # it gets all events but this one
        endpoint.events = [Type.PROGRESSED]
        endpoint.save()
        change_render(render.pk, progressed(0.3))
        assert types() == [Type.PROGRESSED]

    def test_a_deleted_render_has_no_event(self) -> None:
        render = make_render()
        render_id = render.pk
        render.delete()
        publish({render_id: [Type.STARTED]})
        assert types() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time.")
def test_events_are_committed_in_the_order_of_their_ids() -> None:
    first, second = make_render(), make_render()
    is_inserted, ends = threading.Event(), threading.Event()

    def publish_slowly() -> None:
        try:
            with transaction.atomic():
                publish({first.pk: [Type.STARTED]})
                is_inserted.set()
                ends.wait(10)
        finally:
            connection.close()

    def publish_at_once() -> None:
        try:
            with transaction.atomic():
                publish({second.pk: [Type.STARTED]})
        finally:
            connection.close()

    threads = [threading.Thread(target=publish_slowly), threading.Thread(target=publish_at_once)]
    threads[0].start()
    assert is_inserted.wait(10)
    threads[1].start()
    _wait_until_blocked()
    assert types() == []
    ends.set()
    for thread in threads:
        thread.join()
    assert [event.render_id for event in Event.objects.all()] == [first.pk, second.pk]


def _wait_until_blocked() -> None:
    ends_at = time.monotonic() + 10
    while time.monotonic() < ends_at:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise AssertionError("The second publisher did not wait.")


def progressed(progress: float) -> Callable[[Render], object]:
    return partial(
        transitions.record_progress,
        progress=progress,
        frames_rendered=1,
        errors=[],
        cost=0.0,
        currency="USD",
        function_seconds=1.0,
        first_chunk_at=None,
        deadline_at=None,
        at=timezone.now(),
    )
