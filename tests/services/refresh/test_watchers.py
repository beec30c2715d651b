from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from renders.models import Render
from renders.services.refresh.engine import refresh_render
from tests.factories import make_render
from tests.s3 import progress_path, recorded
from tests.servers import ScriptedServer, reply
from tests.services.refresh.due import next_refresh_at, refresh_due

pytestmark = pytest.mark.django_db
Status = Render.Status


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
