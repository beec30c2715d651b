"""Admission, order, the worker."""

import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection
from django.db.models import Sum
from django.utils import timezone
from rest_framework.test import APIClient

from renders import services
from renders.models import Render
from renders.services.start import functions_of
from tests.factories import BUCKET, INPUT_PROPS, load_recording, make_render
from tests.servers import INVOKE, Answer, ScriptedServer, lambda_error, reply

pytestmark = pytest.mark.django_db
Status = Render.Status
BODY = {"inputProps": INPUT_PROPS}


@pytest.fixture
def numbered(aws: ScriptedServer) -> ScriptedServer:
    """Each start is another render."""
    count = iter(range(1, 10_000))
    lock = threading.Lock()

    def answer() -> Answer:
        with lock:
            return reply({"type": "success", "renderId": f"r{next(count)}", "bucketName": BUCKET})

    aws.answers[INVOKE] = answer
    return aws


def create(**options: Any) -> Render:
    return services.create_render(owner=None, input_props=INPUT_PROPS, may_wait=True, **options).render


def run_worker(*arguments: str) -> str:
    out = StringIO()
    handlers = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        call_command("render_worker", "--once", *arguments, stdout=out, stderr=out)
    finally:
        for name, handler in handlers.items():
            signal.signal(name, handler)
    return out.getvalue()


class TestAdmission:
    @pytest.mark.parametrize(("frames", "functions"), [(1, 2), (60, 2), (61, 3), (150, 4), (12_000, 201)])
    def test_a_render_weighs_its_functions(self, frames: int, functions: int) -> None:
        assert functions_of(frames) == functions

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
        make_render(Status.QUEUED, functions=200)
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


class TestThrottling:
    def test_it_is_no_failure_but_a_wait_that_grows(self, aws: ScriptedServer) -> None:
        aws.answers[INVOKE] = lambda_error(429, "TooManyRequestsException")
        render = create()
        assert (render.status, render.throttled_count, render.failure_reason) == (Status.QUEUED, 1, "")
        assert render.dispatch_after is not None
        waits = []
        for _ in range(8):
            Render.objects.update(dispatch_after=None)
            again = services.dispatch_next()
            assert again is not None
            assert again.dispatch_after is not None
            waits.append((again.dispatch_after - timezone.now()).total_seconds())
        assert waits[-1] > waits[0]
        assert max(waits) <= 120
        assert aws.count(INVOKE) == 9

    def test_until_then_it_is_left_alone(self, aws: ScriptedServer) -> None:
        aws.answers[INVOKE] = lambda_error(429, "TooManyRequestsException")
        create()
        assert services.dispatch_next() is None
        assert aws.count(INVOKE) == 1

    def test_the_lambda_endpoint_answers_429(self, api: APIClient, aws: ScriptedServer) -> None:
        aws.answers[INVOKE] = lambda_error(429, "TooManyRequestsException")
        assert api.post("/api/lambda/render", BODY, format="json").status_code == 429
        assert not Render.objects.exists()

    def test_nobody_is_tried_while_the_first_in_line_waits_for_room(self, aws: ScriptedServer) -> None:
        aws.answers[INVOKE] = lambda_error(429, "TooManyRequestsException")
        create(priority=50)
        assert create(priority=-50).status == Status.QUEUED
        assert services.dispatch_next() is None
        assert aws.count(INVOKE) == 1

    def test_a_cancelled_one_does_not_wait_again(self, aws: ScriptedServer) -> None:
        render = make_render(Status.SUBMITTING)
        services.cancel_render(render)
        render.refresh_from_db()
        render.mark_queued_again(error="no room", dispatch_after=timezone.now())
        assert Render.objects.get().status == Status.CANCELLED


class TestWhatIsNotTheRendersFault:
    @pytest.mark.parametrize(
        "answer", [lambda_error(403, "ExpiredTokenException"), lambda_error(404, "ResourceNotFoundException")]
    )
    def test_keeps_it_waiting(self, aws: ScriptedServer, answer: Answer) -> None:
        aws.answers[INVOKE] = answer
        make_render(Status.QUEUED)
        make_render(Status.QUEUED)
        assert services.dispatch_next() is not None
        assert services.dispatch_next() is None
        assert Render.objects.waiting().count() == 2
        assert aws.count(INVOKE) == 1

    def test_but_a_rejection_ends_it(self, aws: ScriptedServer) -> None:
        aws.answers[INVOKE] = reply({"type": "error", "message": "You have multiple buckets."})
        make_render(Status.QUEUED)
        render = services.dispatch_next()
        assert render is not None
        assert (render.status, render.failure_reason) == (Status.FAILED, "rejected")

    def test_it_is_started_with_the_settings_of_that_moment(self, numbered: ScriptedServer, settings: Any) -> None:
        make_render(Status.QUEUED, function_timeout=240)
        settings.REMOTION_TIMEOUT = 900
        render = services.dispatch_next()
        assert render is not None
        assert render.function_timeout == 900
        assert render.function_name in numbered.requests[0][1]


class TestOrder:
    def test_priority_then_age_and_a_minute_is_worth_a_point(self, numbered: ScriptedServer) -> None:
        now = timezone.now()

        def wait(minutes: int, priority: int) -> Render:
            created = now - timedelta(minutes=minutes)
            rank = created - timedelta(minutes=priority)
            return make_render(Status.QUEUED, created_at=created, priority=priority, queue_rank=rank)

        low_old, high_young, plain, young = wait(30, -10), wait(1, 25), wait(10, 0), wait(0, 0)
        started = [services.dispatch_next() for _ in range(4)]
        assert started == [high_young, low_old, plain, young]
        assert services.dispatch_next() is None

    def test_the_rank_of_a_new_row_follows_its_priority(self, numbered: ScriptedServer) -> None:
        render = create(priority=-50)
        assert render.queue_rank - render.created_at == timedelta(minutes=50)

    def test_the_first_in_line_is_not_passed_by_smaller_ones(self, numbered: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_CONCURRENCY = 10
        make_render(functions=4)
        make_render(Status.QUEUED, functions=8)
        make_render(Status.QUEUED, functions=2)
        assert services.dispatch_next() is None


@pytest.mark.django_db(transaction=True)
class TestWorker:
    def test_once_starts_refreshes_and_adopts(self, numbered: ScriptedServer) -> None:
        waiting, rendering = make_render(Status.QUEUED), make_render()
        numbered.answers[f"/{BUCKET}/renders/{rendering.render_id}/"] = reply(
            load_recording("succeeds")[-1]["progress.json"]
        )
        out = run_worker()
        assert f"{waiting.id}: rendering" in out
        assert f"{rendering.id}: succeeded" in out
        assert set(Render.objects.values_list("status", flat=True)) == {"rendering", "succeeded"}

    def test_a_row_that_cannot_be_read_is_left_alone_for_a_while(self, numbered: ScriptedServer) -> None:
        render = make_render()
        numbered.answers[f"/{BUCKET}/renders/{render.render_id}/"] = Answer(status=403)
        assert "AWS does not let these credentials" in run_worker()
        assert numbered.count(f"/{BUCKET}/renders/{render.render_id}/") == 1
        run_worker()
        assert numbered.count(f"/{BUCKET}/renders/{render.render_id}/") == 1

    def test_what_another_holds_is_taken_over_when_its_claim_lapses(self, numbered: ScriptedServer) -> None:
        held = make_render(claimed_until=timezone.now() + timedelta(seconds=20))
        lapsed = make_render(claimed_until=timezone.now() - timedelta(seconds=1))
        assert services.claim_due(limit=10, unread_since=timezone.now()) == [lapsed]
        assert services.claim_due(limit=10, unread_since=timezone.now()) == []
        assert held.pk

    def test_a_second_one_on_sqlite_says_why_it_does_not_start(self, tmp_path: Path) -> None:
        environment = {
            "PATH": "",
            "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
            "RENDERHUB_ENV_FILE": "/dev/null",
        }

        def manage(*arguments: str) -> "subprocess.Popen[str]":
            return subprocess.Popen(
                [sys.executable, "manage.py", *arguments],
                cwd=django_settings.BASE_DIR,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )

        with manage("migrate", "-v0") as migrate:
            assert migrate.wait() == 0
        lock = tmp_path / "db.sqlite3.worker"
        with manage("render_worker") as first:
            while not lock.exists():
                assert first.poll() is None
            with manage("render_worker") as second:
                assert "A worker runs on this SQLite database already." in second.communicate(timeout=20)[1]
                assert second.returncode == 1
            first.send_signal(signal.SIGTERM)
            assert first.communicate(timeout=20)[0] == "Stopped.\n"
            assert first.returncode == 0


@pytest.mark.django_db(transaction=True)
def test_two_workers_start_each_of_500_once_in_order_and_within_the_limit(
    numbered: ScriptedServer, settings: Any
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("On SQLite there is one worker.")
    settings.REMOTION_CONCURRENCY = 40
    now = timezone.now()
    ranked = []
    for number in range(500):
        priority = number % 7
        created = now - timedelta(seconds=number)
        rank = created - timedelta(minutes=priority)
        ranked.append(
            make_render(Status.QUEUED, created_at=created, priority=priority, queue_rank=rank, functions=1 + number % 5)
        )
    most = []

    def work(_: int) -> list[str]:
        started = []
        try:
            while Render.objects.waiting().exists():
                if render := services.dispatch_next():
                    started.append(str(render.pk))
                most.append(Render.objects.occupying().aggregate(used=Sum("functions"))["used"] or 0)
                # Remotion finishes some.
                for done in Render.objects.filter(status=Status.RENDERING).order_by("submitted_at")[:2]:
                    done.mark_succeeded(output_bucket="b", output_key="k", output_size=1, at=timezone.now())
            return started
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as workers:
        first, second = workers.map(work, range(2))
    assert numbered.count(INVOKE) == 500
    assert len(set(first) | set(second)) == len(first) + len(second) == 500
    assert max(most) <= 40
    by_start = Render.objects.order_by("submitted_at").values_list("pk", flat=True)
    assert list(by_start) == [render.pk for render in sorted(ranked, key=lambda render: render.queue_rank)]
