"""What a quota refuses when a render is created, before AWS is called."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError
from django.utils import timezone
from rest_framework.test import APIClient

from renders.models import Quota, Render, UsageDay
from renders.services.errors import CostQuotaExceeded, TooManyWaiting
from renders.services.quotas import function_limits, quota_of, require_budget, require_place_in_queue
from renders.services.retry import retry_render
from tests.factories import BODY, create, grant, make_render
from tests.servers import INVOKE, ScriptedServer

pytestmark = pytest.mark.django_db
Status = Render.Status


def post(api: APIClient, path: str = "/api/renders/", key: str = "", **changes: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return api.post(path, {**BODY, **changes}, format="json", headers=headers)


def spend(user: User | None, cost: float) -> None:
    UsageDay.objects.create(day=timezone.now().date(), owner=user, region="us-east-1", currency="USD", cost=cost)


class TestQuotaOf:
    def test_ones_own_else_everybodys_else_none(self, user: User, staff: User) -> None:
        assert quota_of(user) is None
        everybodys = Quota.objects.create(max_functions=5)
        own = Quota.objects.create(owner=staff, max_functions=9)
        assert [quota_of(owner) for owner in (staff, user, None)] == [own, everybodys, everybodys]
        assert function_limits([staff.pk, user.pk, None]) == {staff.pk: 9, user.pk: 5, None: 5}

    def test_there_is_one_for_everybody(self) -> None:
        Quota.objects.create()
        with pytest.raises(IntegrityError):
            Quota.objects.create()


class TestFunctions:
    def test_above_them_a_render_waits_though_others_may_start(self, user: User, numbered: ScriptedServer) -> None:
        Quota.objects.create(owner=user, max_functions=4)
        assert [create(owner).status for owner in (user, user, None)] == ["rendering", "queued", "rendering"]

    def test_the_lambda_endpoint_says_whose_functions_are_in_use(
        self, api: APIClient, user: User, numbered: ScriptedServer
    ) -> None:
        Quota.objects.create(owner=user, max_functions=4)
        make_render(owner=user)
        response = post(api, "/api/lambda/render")
        assert (response.status_code, response.json()["code"]) == (429, "no_free_slots")
        assert "all 4 that you may use" in response.json()["error"]
        assert numbered.count(INVOKE) == 0


class TestWaiting:
    def test_one_more_than_may_wait_is_refused(self, api: APIClient, user: User, numbered: ScriptedServer) -> None:
        Quota.objects.create(owner=user, max_functions=4, max_waiting=1)
        assert [post(api).status_code for _ in range(2)] == [201, 202]
        response = post(api)
        assert (response.status_code, response.json()["code"]) == (429, "too_many_waiting")
        assert response["Retry-After"]
        assert (Render.objects.count(), numbered.count(INVOKE)) == (2, 1)

    def test_others_do_not_count(self, user: User) -> None:
        make_render(Status.QUEUED, owner=None)
        make_render(owner=user)
        quota = Quota.objects.create(owner=user, max_waiting=2)
        require_place_in_queue(user, quota, count=2)
        with pytest.raises(TooManyWaiting, match="these 3 cannot wait too: ask for fewer at once"):
            require_place_in_queue(user, quota, count=3)
        make_render(Status.QUEUED, owner=user)
        with pytest.raises(TooManyWaiting, match="these 2 cannot wait too: try again when some have started"):
            require_place_in_queue(user, quota, count=2)

    def test_a_repeated_request_is_answered_all_the_same(
        self, api: APIClient, user: User, numbered: ScriptedServer
    ) -> None:
        make_render(slots_needed=200)
        Quota.objects.create(owner=user, max_waiting=1)
        first = post(api, key="a")
        again = post(api, key="a")
        assert (first.status_code, again.status_code, again.json()["id"]) == (202, 202, first.json()["id"])
        assert post(api, key="b").status_code == 429


class TestCost:
    def test_what_was_spent_counts(self, api: APIClient, user: User, numbered: ScriptedServer) -> None:
        Quota.objects.create(owner=user, max_cost_per_month=10)
        spend(user, 9.5)
        spend(None, 100)
        assert post(api).status_code == 201
        UsageDay.objects.filter(owner=user).update(cost=10)
        response = post(api)
        assert (response.status_code, response.json()["code"]) == (402, "cost_quota_exceeded")
        assert "ada may cost 10.00 USD a month: 10.00 USD have been spent" in response.json()["error"]
        assert (Render.objects.count(), numbered.count(INVOKE)) == (1, 1)

    def test_so_does_what_is_expected_of_active_renders_and_of_this_one(self, user: User) -> None:
        make_render(Status.SUCCEEDED, cost=1.5, currency="USD")
        quota = Quota.objects.create(owner=user, max_cost_per_month=10)
        spend(user, 6)
        make_render(Status.QUEUED, owner=user)
        new = Render(owner=user, duration_in_frames=150)
        require_budget(user, quota, [new])
        with pytest.raises(
            CostQuotaExceeded, match=r"6.00 USD have been spent .* 1.50 USD are expected .* 3.00 USD for this"
        ):
            require_budget(user, quota, [new, new])

    def test_less_than_a_cent_is_told_too(self, user: User) -> None:
        quota = Quota.objects.create(owner=user, max_cost_per_month=0.005)
        spend(user, 0.00512)
        said = r"of ada may cost 0.0050 USD a month: 0.0051 USD have been spent .* 0.0000 USD for this"
        with pytest.raises(CostQuotaExceeded, match=said):
            require_budget(user, quota, [Render(owner=user)])

    def test_next_to_nothing_is_not_told_as_nothing(self, user: User) -> None:
        quota = Quota.objects.create(owner=user, max_cost_per_month=0.00004)
        spend(user, 0.01)
        with pytest.raises(CostQuotaExceeded, match=r"may cost under 0.0001 USD a month: 0.0100 USD have been spent"):
            require_budget(user, quota, [Render(owner=user)])

    def test_zero_allows_nothing(self, user: User) -> None:
        quota = Quota.objects.create(owner=user, max_cost_per_month=0)
        with pytest.raises(CostQuotaExceeded):
            require_budget(user, quota, [Render(owner=user)])

    def test_a_reused_render_costs_nothing(self, api: APIClient, user: User, numbered: ScriptedServer) -> None:
        first = post(api, reuse=True)
        Quota.objects.create(owner=user, max_cost_per_month=0)
        assert post(api, reuse=True).json()["id"] == first.json()["id"]
        assert post(api).status_code == 402

    def test_the_lambda_endpoint_refuses_too(self, api: APIClient, user: User, numbered: ScriptedServer) -> None:
        Quota.objects.create(owner=user, max_cost_per_month=0)
        assert post(api, "/api/lambda/render").status_code == 402
        assert not Render.objects.exists()


class TestPriority:
    def test_a_higher_one_is_refused(self, api: APIClient, user: User, numbered: ScriptedServer) -> None:
        grant(user, "start_render_with_priority")
        Quota.objects.create(owner=user, max_priority=5)
        response = post(api, priority=6)
        assert (response.status_code, response.json()["code"]) == (403, "priority_too_high")
        assert "send 5 or less" in response.json()["error"]
        assert not Render.objects.exists()
        assert post(api, priority=5).json()["priority"] == 5

    def test_without_one_it_is_the_highest_that_is_allowed(
        self, api: APIClient, user: User, numbered: ScriptedServer
    ) -> None:
        Quota.objects.create(owner=user, max_priority=-10)
        assert post(api).json()["priority"] == -10
        assert post(api, priority=0).status_code == 403
        render = Render.objects.get()
        assert render.created_at < render.queue_rank

    def test_a_retry_has_no_higher_one_than_is_allowed_now(self, user: User, numbered: ScriptedServer) -> None:
        failed = make_render(Status.FAILED, owner=user, priority=20)
        assert retry_render(make_render(Status.FAILED, owner=user, priority=20)).render.priority == 20
        Quota.objects.create(owner=user, max_priority=5)
        assert retry_render(failed).render.priority == 5
