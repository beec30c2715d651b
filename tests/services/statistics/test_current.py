"""How it is now."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from renders.models import Render
from renders.services.statistics.current import current
from tests.factories import make_render, make_unconfirmed

pytestmark = pytest.mark.django_db
Status = Render.Status


def test_active_renders_are_counted_by_status() -> None:
    for status in (*Render.TERMINAL, Status.QUEUED, Status.QUEUED, Status.RENDERING):
        make_render(status)
    make_unconfirmed()
    now = current()
    assert (now.rendering, now.submitting, now.queued) == (1, 1, 2)


def test_slots_are_those_whose_functions_may_run_by_region(settings: Any) -> None:
    settings.REMOTION_CONCURRENCY = 50
    make_render(slots_needed=4)
    make_unconfirmed(slots_needed=3)
    make_render(slots_needed=7, region="eu-central-1")
    make_render(slots_needed=100, slots_until=timezone.now() - timedelta(seconds=1))
    make_render(Status.QUEUED, slots_needed=100, slots_until=None)
    now = current()
    assert now.slots_by_region == {"us-east-1": 7, "eu-central-1": 7}
    assert (now.slots_used, now.slots) == (14, 50)


def test_the_oldest_that_waits_is_the_one_created_first() -> None:
    assert current().oldest_queued is None
    hour_ago = timezone.now() - timedelta(hours=1)
    oldest = make_render(Status.QUEUED, queue_rank=timezone.now())
    make_render(Status.QUEUED, queue_rank=hour_ago)
    Render.objects.filter(pk=oldest.pk).update(created_at=hour_ago)
    assert current().oldest_queued == oldest
