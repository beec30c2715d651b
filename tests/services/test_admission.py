from typing import Any

import pytest
from rest_framework.test import APIClient

from renders.models import Render
from renders.remotion.options import slots_needed
from tests.factories import BODY, create, make_render
from tests.servers import INVOKE, ScriptedServer

pytestmark = pytest.mark.django_db
Status = Render.Status


class TestAdmission:
    @pytest.mark.parametrize(("frames", "functions"), [(1, 2), (60, 2), (61, 3), (150, 4), (12_000, 201)])
    def test_a_render_weighs_its_functions(self, frames: int, functions: int) -> None:
        assert slots_needed(frames) == functions

    def test_what_fits_is_started_and_the_rest_waits(self, numbered: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_CONCURRENCY = 9
        assert [create().status for _ in range(3)] == [Status.RENDERING, Status.RENDERING, Status.QUEUED]
        assert numbered.count(INVOKE) == 2

    def test_a_render_larger_than_the_limit_is_started_alone(self, numbered: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_CONCURRENCY = 2
        assert [create().status for _ in range(2)] == [Status.RENDERING, Status.QUEUED]

    def test_renders_in_doubt_count(self, numbered: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_CONCURRENCY = 5
        make_render(Status.SUBMITTING)
        assert create().status == Status.QUEUED

    def test_nobody_passes_those_who_wait(self, numbered: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_CONCURRENCY = 8
        make_render(Status.QUEUED, slots_needed=200)
        assert create().status == Status.QUEUED

    def test_the_resource_answers_202(self, api: APIClient, numbered: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_CONCURRENCY = 4
        make_render()
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

    @pytest.mark.parametrize("priority", [51, -51, 1.0, "1", True])
    def test_priority_is_checked(self, api: APIClient, aws: ScriptedServer, priority: Any) -> None:
        response = api.post("/api/renders/", {**BODY, "priority": priority}, format="json")
        assert response.status_code == 400
        assert "-50 to 50" in response.json()["error"]
