import signal
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from renders.models import RefreshState, Render
from tests.factories import BUCKET, load_recording, make_render
from tests.operations.test_worker import Workers, start_worker, wait_until  # noqa: F401  (a fixture)
from tests.servers import Answer, ScriptedServer, reply

pytestmark = pytest.mark.django_db
Status, Reason = Render.Status, Render.FailureReason
RENDERS = f"/{BUCKET}/renders/"


def recorded(name: str = "succeeds", step: int = -1, seconds_left: float = 60) -> dict[str, Any]:
    progress_json = load_recording(name)[step]["progress.json"]
    return {**progress_json, "timeoutTimestamp": (timezone.now().timestamp() + seconds_left) * 1000}


def make_due(**fields: Any) -> None:
    """All are due; ``fields`` are their rows'."""
    if fields:
        Render.objects.update(**fields)
    for render in Render.objects.filter(refresh_state=None):
        place = {"region": render.region, "bucket_name": render.bucket_name}
        RefreshState.objects.create(render=render, next_refresh_at=timezone.now(), **place)
    RefreshState.objects.update(next_refresh_at=timezone.now() - timedelta(seconds=1))


def next_refresh_at() -> datetime:
    return RefreshState.objects.get().next_refresh_at


@pytest.mark.django_db(transaction=True)
class TestWorkers:
    def test_two_share_the_rows_and_one_that_is_killed_loses_none(
        self,
        aws: ScriptedServer,
        start_worker: Workers,  # noqa: F811
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        if connection.vendor != "postgresql":
            pytest.skip("On SQLite there is one worker.")
        body = reply(recorded()).body
        aws.answers[RENDERS] = Answer(body, delay=0.3)
        renders = [make_render() for _ in range(1200)]
        victim, other = start_worker(), start_worker()
        wait_until(lambda: len(aws.requests) > 300)
        victim.kill()
        victim.wait()
        wait_until(lambda: not RefreshState.objects.due(timezone.now()).exists())
        other.send_signal(signal.SIGTERM)
        other.communicate(timeout=30)
        left = Render.objects.filter(status=Status.RENDERING)
        assert left.exists(), "The killed one held nothing: it was killed too late."
        asked_once = len({path for _, path, _ in aws.requests}) == len(aws.requests)
        assert asked_once
        # Its time is up, and another takes over.
        make_due()
        start_worker()
        wait_until(lambda: not left.exists())
        assert Render.objects.filter(status=Status.SUCCEEDED).count() == len(renders)
