"""What PostgreSQL's triggers tell the workers."""

from functools import partial
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from renders.models import Event, Render, channels, transitions
from renders.services.events.publish import publish
from renders.services.refresh.apply import change_render
from tests.factories import make_render, make_unconfirmed

pytestmark = pytest.mark.django_db(transaction=True)
Status = Render.Status


@pytest.fixture(autouse=True)
def listening(db: None) -> Any:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite sends no notifications.")
    channels.listen(channels.DISPATCH)
    yield
    connection.close()


def was_notified() -> bool:
    # A session receives its own notifications when it commits.
    return channels.wait_for_notification(seconds=0)


def test_a_render_that_is_queued_is_told_when_it_is_committed() -> None:
    with transaction.atomic():
        make_render(Status.QUEUED)
        assert not was_notified()
    assert was_notified()


@pytest.mark.parametrize("status", [Status.QUEUED, Status.SUBMITTING, Status.RENDERING])
def test_slots_that_are_freed_are_told(status: Render.Status) -> None:
    ending, deleted = make_render(status), make_render(status)
    was_notified()
    ending.set_fields(status=Status.CANCELLED, finished_at=timezone.now())
    ending.save_changes()
    assert was_notified()
    deleted.delete()
    assert was_notified()


def test_slots_that_are_freed_by_a_batch_are_told() -> None:
    renders = [make_render() for _ in range(3)]
    for render in renders:
        render.set_fields(status=Status.CANCELLED, finished_at=timezone.now())
    Render.objects.save_changes(renders)
    assert was_notified()


def test_nothing_else_is_told() -> None:
    submitting, rendering, done = make_render(Status.SUBMITTING), make_render(), make_render(Status.SUCCEEDED)
    rendering.set_fields(progress=0.5)
    rendering.save_changes()
    submitting.set_fields(error="No answer.")
    submitting.save_changes()
    done.delete()
    assert not was_notified()


def test_the_triggers_can_be_taken_out_and_put_back() -> None:
    migrate = partial(call_command, "migrate", "renders", verbosity=0)
    migrate("0001")
    make_render(Status.QUEUED)
    assert not was_notified()
    call_command("migrate", verbosity=0)
    make_render(Status.QUEUED)
    assert was_notified()


def test_an_event_is_told_when_it_is_committed() -> None:
    channels.listen(channels.EVENTS)
    with transaction.atomic():
        change_render(make_unconfirmed().pk, partial(transitions.record_unconfirmed, error="No answer."))
    assert not was_notified()  # nothing was published
    with transaction.atomic():
        publish({make_render().pk: [Event.Type.STARTED]})
        assert not was_notified()
    assert was_notified()
