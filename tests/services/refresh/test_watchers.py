from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from renders.models import RefreshState, Render
from renders.services.refresh import engine
from renders.services.refresh.apply import Refreshed
from renders.services.refresh.circuit_breaker import CircuitBreaker
from renders.services.refresh.engine import refresh_render
from tests.factories import BUCKET, load_recording, make_render
from tests.servers import ScriptedServer, reply

pytestmark = pytest.mark.django_db
Status, Reason = Render.Status, Render.FailureReason
RENDERS = f"/{BUCKET}/renders/"


def recorded(name: str = "succeeds", step: int = -1, seconds_left: float = 60) -> dict[str, Any]:
    progress_json = load_recording(name)[step]["progress.json"]
    return {**progress_json, "timeoutTimestamp": (timezone.now().timestamp() + seconds_left) * 1000}


def progress_path(render: Render) -> str:
    return f"{RENDERS}{render.render_id}/progress.json"


def refresh_due() -> list[Refreshed]:
    return engine.refresh_due(CircuitBreaker())


def next_refresh_at() -> datetime:
    return RefreshState.objects.get().next_refresh_at


class TestWatchers:
    @pytest.mark.django_db(transaction=True)
    def test_many_at_once_are_one_reading(self, aws: ScriptedServer) -> None:
        render = make_render()
        aws.answers[progress_path(render)] = reply(recorded(step=10))
        barrier = Barrier(16)

        def watch(_: int) -> str:
            try:
                barrier.wait(20)
                return refresh_render(Render.objects.get()).status
            finally:
                connection.close()

        with ThreadPoolExecutor(16) as watchers:
            assert set(watchers.map(watch, range(16))) == {Status.RENDERING}
        assert aws.count(progress_path(render)) == 1

    def test_a_worker_and_a_watcher_share_one_too(self, aws: ScriptedServer) -> None:
        render = make_render()
        refresh_due()
        refresh_render(Render.objects.get())
        assert aws.count(progress_path(render)) == 1

    def test_who_watches_makes_the_worker_read_sooner(self, aws: ScriptedServer) -> None:
        render = make_render(submitted_at=timezone.now() - timedelta(seconds=100))
        refresh_due()
        assert next_refresh_at() - timezone.now() > timedelta(seconds=8)
        refresh_render(render)
        assert next_refresh_at() - timezone.now() <= timedelta(seconds=1)

    def test_an_answer_from_the_row_costs_no_write_each_time(self, aws: ScriptedServer) -> None:
        make_render()
        render = refresh_render(Render.objects.get())
        with CaptureQueriesContext(connection) as queries:
            refresh_render(render)
        assert len(queries) == 3
