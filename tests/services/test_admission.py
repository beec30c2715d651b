from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from renders.models import Render
from renders.remotion.options import slots_needed
from renders.remotion.target import LambdaTarget
from renders.services.admission import slots_until
from renders.services.dispatch import dispatch_next
from tests.factories import BODY, BUCKET, create, grant, make_render
from tests.servers import INVOKE, ScriptedServer, lambda_error, s3_error
from tests.services.refresh.due import refresh_due

pytestmark = pytest.mark.django_db
Status = Render.Status


class TestAdmission:
    @pytest.mark.parametrize(("frames", "functions"), [(1, 2), (60, 2), (61, 3), (150, 4), (12_000, 201)])
    def test_a_render_weighs_its_functions(self, frames: int, functions: int) -> None:
        assert slots_needed(frames) == functions

    def test_a_stills_slot_is_held_no_longer_than_its_one_call_lasts(self) -> None:
        target, now = LambdaTarget.from_settings(), timezone.now()
        assert slots_until(target, submitted_at=now) == now + timedelta(seconds=60 + 60 + 2 * 240)
        assert slots_until(target, submitted_at=now, kind="still") == now + timedelta(seconds=60 + 240 + 15)

    def test_what_fits_is_started_and_the_rest_waits(self, numbered: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_CONCURRENCY = 9
        assert [create().status for _ in range(3)] == [Status.RENDERING, Status.RENDERING, Status.QUEUED]
        assert numbered.count(INVOKE) == 2

    def test_a_render_larger_than_the_limit_is_started_alone(self, numbered: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_CONCURRENCY = 2
        assert [create().status for _ in range(2)] == [Status.RENDERING, Status.QUEUED]

    def test_renders_unconfirmed_count(self, numbered: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_CONCURRENCY = 5
        make_render(Status.SUBMITTING)
        assert create().status == Status.QUEUED

    def test_nobody_passes_those_who_wait(self, numbered: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_CONCURRENCY = 8
        make_render(Status.QUEUED, slots_needed=200)
        assert create().status == Status.QUEUED

    def test_the_resource_answers_202(
        self, api: APIClient, user: User, numbered: ScriptedServer, settings: Any
    ) -> None:
        settings.REMOTION_CONCURRENCY = 4
        make_render()
        grant(user, "start_render_with_priority")
        response = api.post("/api/renders/", {**BODY, "priority": 7}, format="json")
        assert (response.status_code, response.json()["status"], response.json()["priority"]) == (202, "queued", 7)

    def test_the_lambda_endpoint_answers_429_and_keeps_nothing(
        self, api: APIClient, numbered: ScriptedServer, settings: Any
    ) -> None:
        settings.REMOTION_CONCURRENCY = 4
        make_render()
        response = api.post("/api/lambda/render", BODY, format="json")
        assert response.status_code == 429
        assert response["Retry-After"]
        assert Render.objects.count() == 1

    def test_it_says_so_where_others_are_queued(self, api: APIClient, numbered: ScriptedServer) -> None:
        make_render(Status.QUEUED, slots_needed=200)
        response = api.post("/api/lambda/render", BODY, format="json")
        assert (response.status_code, response.json()["error"][:46]) == (
            429,
            "Other renders are queued and come first, so no",
        )

    @pytest.mark.parametrize("priority", [51, -51, 1.0, "1", True])
    def test_priority_is_checked(self, api: APIClient, aws: ScriptedServer, priority: Any) -> None:
        response = api.post("/api/renders/", {**BODY, "priority": priority}, format="json")
        assert response.status_code == 400
        assert "-50 to 50" in response.json()["error"]


class TestSlotsEnd:
    """Nothing holds a slot for ever: not S3's errors, not a bucket that is gone."""

    YESTERDAY = timedelta(days=1)

    @pytest.mark.parametrize("status", [Status.RENDERING, Status.SUBMITTING])
    def test_a_row_of_yesterday_blocks_nobody(self, numbered: ScriptedServer, settings: Any, status: str) -> None:
        settings.REMOTION_CONCURRENCY = 4
        then = timezone.now() - self.YESTERDAY
        numbered.answers[f"/{BUCKET}/"] = s3_error(403, "AccessDenied")
        make_render(status, submitted_at=then, slots_until=then + timedelta(minutes=9))
        refresh_due()
        assert Render.objects.get().status == status
        assert create().status == Status.RENDERING

    @pytest.mark.parametrize("status", [Status.RENDERING, Status.SUBMITTING])
    def test_a_queued_render_starts_when_their_time_is_over(
        self, numbered: ScriptedServer, settings: Any, status: str
    ) -> None:
        settings.REMOTION_CONCURRENCY = 4
        make_render(status)
        queued = create()
        assert dispatch_next() is None
        Render.objects.exclude(pk=queued.pk).update(slots_until=timezone.now())
        assert dispatch_next() == queued

    def test_the_time_is_that_of_the_start_and_twice_the_functions(
        self, numbered: ScriptedServer, settings: Any
    ) -> None:
        settings.REMOTION_CONCURRENCY = 4
        first, second = create(), create()
        make_time = timedelta(seconds=60 + 60 + 2 * 240)
        assert first.submitted_at
        assert first.slots_until == first.submitted_at + make_time
        assert second.slots_until is None
        Render.objects.filter(pk=first.pk).update(slots_until=timezone.now())
        started = dispatch_next()
        assert started
        assert started.submitted_at
        assert started.slots_until == started.submitted_at + make_time

    def test_a_render_that_is_queued_again_holds_none(self, aws: ScriptedServer) -> None:
        aws.answers[INVOKE] = lambda_error(429, "TooManyRequestsException")
        assert create().slots_until is None
