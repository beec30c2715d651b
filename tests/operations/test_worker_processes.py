import signal

import pytest
from django.db import connection
from django.utils import timezone

from renders.models import RefreshState, Render
from tests.factories import make_due, make_render
from tests.operations.processes import Workers, wait_until
from tests.s3 import RENDERS, recorded
from tests.servers import Answer, ScriptedServer, reply

pytestmark = pytest.mark.django_db
Status = Render.Status


@pytest.mark.django_db(transaction=True)
class TestWorkers:
    def test_two_share_the_rows_and_one_that_is_killed_loses_none(
        self,
        aws: ScriptedServer,
        start_worker: Workers,
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
