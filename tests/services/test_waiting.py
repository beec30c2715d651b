"""Where queued renders stand in the queue, and what each waits for."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from renders.models import Quota, Render
from renders.services import waiting as module
from renders.services.waiting import waiting
from tests.factories import make_render

pytestmark = pytest.mark.django_db
Status = Render.Status


def queue(**fields: Any) -> Render:
    return make_render(Status.QUEUED, **fields)


def reason(render: Render) -> str:
    return str(waiting([render])[render.pk])


def test_places_are_those_of_the_queue() -> None:
    now = timezone.now()
    later, first = queue(queue_rank=now), queue(queue_rank=now - timedelta(minutes=1))
    places = waiting([later, make_render(), first])
    assert {pk: place.place for pk, place in places.items()} == {later.pk: 2, first.pk: 1}


def test_the_first_one_is_next() -> None:
    first = queue(queue_rank=timezone.now() - timedelta(minutes=1))
    assert reason(first) == "No. 1 in the queue: a worker starts it next."
    assert reason(queue()) == "No. 2 in the queue: others come first."


def test_it_waits_for_slots(settings: Any) -> None:
    settings.REMOTION_CONCURRENCY = 1000
    make_render(slots_needed=998)
    assert reason(queue()) == "No. 1 in the queue: it needs 4 functions, and 998 of 1,000 are in use."
    assert reason(queue(slots_needed=1)) == "No. 2 in the queue: others come first."


def test_it_waits_for_what_its_owner_may_use(user: User) -> None:
    Quota.objects.create(owner=user, max_functions=5)
    make_render(owner=user)
    assert reason(queue(owner=user)) == "No. 1 in the queue: it needs 4 functions, and its owner uses 4 of 5."


def test_it_waits_for_aws() -> None:
    at = timezone.now() + timedelta(minutes=1)
    error = "AWS has no capacity now."
    assert reason(queue(dispatch_after=at, error=error)).endswith(f"it is tried again at {at:%H:%M:%S} UTC. {error}")
    assert reason(queue(dispatch_after=timezone.now(), error=error)).endswith("others come first.")


def test_in_a_long_queue_not_every_place_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COUNTED", 1)
    queue()
    assert reason(queue()) == "After the first 1 in the queue: others come first."


def test_many_cost_as_many_queries_as_one(django_assert_num_queries: Any) -> None:
    renders = [queue() for _ in range(5)]
    with django_assert_num_queries(3):
        waiting(renders)
    with django_assert_num_queries(0):
        assert waiting([Render(status=Status.RENDERING)]) == {}
