from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from renders.models import Quota, Render, UsageDay
from tests.factories import make_render

pytestmark = pytest.mark.django_db
Status = Render.Status


def test_it_tells_limits_use_and_what_is_left(api: APIClient, user: User) -> None:
    Quota.objects.create(
        owner=user, max_functions=10, max_waiting=1, max_cost_per_month=5, max_requests_per_minute=60, max_priority=0
    )
    UsageDay.objects.create(day=timezone.now().date(), owner=user, region="us-east-1", currency="USD", cost=1.5)
    make_render(Status.SUCCEEDED, cost=1, currency="USD")  # 150 frames, as many as each of the others has
    make_render(owner=user, cost=0.25)
    for owner in (user, user, None):
        make_render(Status.QUEUED, owner=owner)
    assert api.get("/api/account/").json() == {
        "owner": "ada",
        "functions": {"limit": 10, "used": 4, "left": 6},
        "waiting": {"limit": 1, "used": 2, "left": 0},
        "costThisMonth": {"limit": 5.0, "used": 4.5, "left": 0.5, "ended": 1.5, "active": 3.0, "currency": "USD"},
        "requestsPerMinute": {"limit": 60},
        "priority": {"limit": 0},
    }


def test_without_a_quota_there_is_no_limit(api: APIClient) -> None:
    answer = api.get("/api/account/").json()
    assert answer["functions"] == {"limit": None, "used": 0, "left": None}
    assert (answer["costThisMonth"]["limit"], answer["costThisMonth"]["left"]) == (None, None)
    assert answer["priority"] == {"limit": None}


def test_it_is_that_of_whoever_asks(api: APIClient, user: User, staff: User, settings: Any) -> None:
    make_render(owner=staff)
    make_render(owner=None, slots_needed=7)
    assert api.get("/api/account/").json()["functions"]["used"] == 0
    assert api.get("/api/account/?owner=grace").status_code == 400
    assert APIClient().get("/api/account/").status_code == 401
    settings.API_ALLOW_ANONYMOUS = True
    answer = APIClient().get("/api/account/").json()
    assert (answer["owner"], answer["functions"]["used"]) == (None, 7)
