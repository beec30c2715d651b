from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from renders.models import RefreshState, Render
from renders.remotion import reader
from renders.services.create import create_render
from renders.services.refresh import engine
from renders.services.refresh.circuit_breaker import CircuitBreaker
from renders.services.refresh.engine import refresh_render
from renders.services.refresh.lease import LEASE
from renders.services.render_request import RenderRequest
from tests.factories import BUCKET, INPUT_PROPS, make_due, make_render
from tests.s3 import RENDERS, progress_path, recorded
from tests.servers import Answer, ScriptedServer, reply, s3_error
from tests.services.refresh.due import next_refresh_at, refresh_due

pytestmark = pytest.mark.django_db
Status, Reason = Render.Status, Render.FailureReason


class TestDue:
    def test_only_what_is_due_is_read(self, aws: ScriptedServer) -> None:
        due, later = make_render(), make_render(next_refresh_at=timezone.now() + timedelta(seconds=5))
        assert [result.render for result in refresh_due()] == [due]
        assert aws.count(progress_path(later)) == 0
        assert refresh_due() == []

    def test_it_is_due_again_by_its_schedule(self, aws: ScriptedServer) -> None:
        render = make_render(submitted_at=timezone.now())
        aws.answers[progress_path(render)] = reply(recorded(step=10))
        refresh_due()
        render.refresh_from_db()
        assert render.refreshed_at is not None
        assert next_refresh_at() == render.refreshed_at + timedelta(seconds=1)

    def test_what_is_over_is_not_due_again(self, aws: ScriptedServer) -> None:
        render = make_render()
        aws.answers[progress_path(render)] = reply(recorded())
        refresh_due()
        render.refresh_from_db()
        assert render.status == Status.SUCCEEDED
        assert not RefreshState.objects.exists()

    def test_a_batch_is_of_one_bucket(self, aws: ScriptedServer) -> None:
        earlier = timezone.now() - timedelta(seconds=5)
        first, same = (make_render(bucket_name="other", next_refresh_at=earlier) for _ in range(2))
        another = make_render()
        assert {result.render for result in refresh_due()} == {first, same}
        assert [result.render for result in refresh_due()] == [another]

    def test_each_render_of_a_started_row_is_due(self, aws: ScriptedServer) -> None:
        create_render(owner=None, request=RenderRequest(input_props=INPUT_PROPS), may_wait=True)
        assert next_refresh_at() <= timezone.now() + timedelta(seconds=1)


class TestUnchanged:
    def test_a_file_that_is_as_it_was_costs_no_more_than_a_304(self, bucket: Any) -> None:
        render = make_render()
        key = f"renders/{render.render_id}/progress.json"
        body = reply(recorded(step=10, seconds_left=600)).body
        bucket.put_object(Bucket=BUCKET, Key=key, Body=body)
        refresh_due()
        first, state = Render.objects.values().get(), RefreshState.objects.get()
        make_due()
        with CaptureQueriesContext(connection) as queries:
            refresh_due()
        second = RefreshState.objects.get()
        assert state.etag
        assert second.etag == state.etag
        assert state.answered_at
        assert second.answered_at
        assert second.answered_at > state.answered_at
        assert Render.objects.values().get() == first
        assert not any('UPDATE "renders_render"' in query["sql"] for query in queries)
        assert Render.objects.get().last_read_at == second.answered_at

    def test_one_past_its_deadline_is_read_whole(self, aws: ScriptedServer) -> None:
        late = timezone.now() - timedelta(seconds=1)
        render = make_render(etag='"x"', deadline_at=late)
        aws.answers[progress_path(render)] = reply(recorded(step=10, seconds_left=-30))
        refresh_due()
        assert Render.objects.get().failure_reason == Reason.TIMED_OUT


class TestMisbehavingS3:
    @pytest.mark.parametrize(
        "answer",
        [
            s3_error(403, "AccessDenied"),
            s3_error(500, "InternalError"),
            s3_error(503, "SlowDown"),
            Answer(b'{"chunks": ['),
            Answer(b"[]"),
            Answer(b'{"chunks"', missing_bytes=9),
            Answer(reset=True),
            reply({}),
        ],
    )
    def test_the_row_keeps_its_last_truth_and_is_left_alone_for_a_while(
        self, aws: ScriptedServer, answer: Answer
    ) -> None:
        read_at = timezone.now() - timedelta(seconds=7)
        render = make_render(progress=0.4, refreshed_at=read_at)
        aws.answers[progress_path(render)] = answer
        (result,) = refresh_due()
        assert result.error
        render.refresh_from_db()
        assert (render.status, render.progress, render.refreshed_at) == (Status.RENDERING, 0.4, read_at)
        assert timedelta(seconds=2) < next_refresh_at() - timezone.now() < LEASE

    def test_a_bucket_that_vanished_is_no_end_before_the_time_is_up(self, aws: ScriptedServer) -> None:
        render = make_render()
        aws.answers["/"] = s3_error(404, "NoSuchBucket")
        refresh_due()
        assert Render.objects.get().status == Status.RENDERING
        make_due(submitted_at=timezone.now() - timedelta(seconds=301))
        refresh_due()
        render.refresh_from_db()
        assert (render.status, render.failure_reason) == (Status.FAILED, "lost")

    def test_an_etag_that_is_wrong_does_no_harm(self, bucket: Any) -> None:
        render = make_render(etag='"of another file"', deadline_at=timezone.now() + timedelta(hours=1))
        body = reply(recorded()).body
        bucket.put_object(Bucket=BUCKET, Key=f"renders/{render.render_id}/progress.json", Body=body)
        refresh_due()
        assert Render.objects.get().status == Status.SUCCEEDED

    def test_a_dead_bucket_is_left_alone_and_holds_up_no_other(self, aws: ScriptedServer) -> None:
        breaker = CircuitBreaker()
        earlier = timezone.now() - timedelta(minutes=1)
        for _ in range(3):
            make_render(bucket_name="dead", next_refresh_at=earlier)
        alive = make_render()
        aws.answers["/dead/"] = Answer(reset=True)
        assert all(result.error for result in engine.refresh_due(breaker))
        asked = aws.count("/dead/")
        RefreshState.objects.filter(bucket_name="dead").update(next_refresh_at=earlier)
        assert [result.render for result in engine.refresh_due(breaker)] == [alive]
        assert engine.refresh_due(breaker) == []
        assert aws.count("/dead/") == asked

    def test_a_worker_that_is_to_stop_gives_back_what_it_has_not_asked_for(self, aws: ScriptedServer) -> None:
        make_render()
        engine.refresh_due(CircuitBreaker(), is_stopped=lambda: True)
        assert not aws.requests
        assert len(refresh_due()) == 1


class TestFilesThatSayNothing:
    LONG_AGO = timedelta(seconds=240 * 2 + 61)

    @pytest.mark.parametrize("answer", [Answer(b"{"), reply({}), Answer(b'{"postRenderData": NaN}')])
    def test_they_keep_no_row_alive_for_ever(self, aws: ScriptedServer, answer: Answer) -> None:
        render = make_render(submitted_at=timezone.now() - self.LONG_AGO)
        aws.answers[progress_path(render)] = answer
        refresh_due()
        assert Render.objects.get().failure_reason == "lost"

    def test_unless_the_output_is_there(self, aws: ScriptedServer) -> None:
        render = make_render(submitted_at=timezone.now() - self.LONG_AGO)
        aws.answers[progress_path(render)] = Answer(b"{")
        aws.answers[f"{RENDERS}{render.render_id}/{render.out_name}"] = Answer(b"12345")
        refresh_due()
        assert Render.objects.get().status == Status.SUCCEEDED

    def test_one_that_was_to_be_cancelled_is(self, aws: ScriptedServer) -> None:
        asked_at = timezone.now() - timedelta(minutes=5)
        render = make_render(submitted_at=timezone.now() - self.LONG_AGO, cancel_requested_at=asked_at)
        aws.answers[progress_path(render)] = Answer(b"{")
        refresh_due()
        assert Render.objects.get().status == Status.CANCELLED

    def test_but_s3_that_refuses_says_nothing_of_a_render(self, aws: ScriptedServer) -> None:
        render = make_render(submitted_at=timezone.now() - self.LONG_AGO)
        aws.answers[progress_path(render)] = s3_error(403, "AccessDenied")
        refresh_due()
        assert Render.objects.get().status == Status.RENDERING

    def test_one_of_them_does_not_open_its_circuit(self, aws: ScriptedServer) -> None:
        breaker = CircuitBreaker()
        bad = make_render()
        aws.answers[progress_path(bad)] = reply({})
        engine.refresh_due(breaker)
        assert breaker.open_buckets() == []


class TestSlowS3:
    def test_what_there_was_no_time_for_is_due_at_once_but_for_one_reader(
        self, aws: ScriptedServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reader, "TIME_LIMIT_SECONDS", 0.2)
        breaker = CircuitBreaker()
        for _ in range(60):
            make_render()
        aws.answers[RENDERS] = Answer(reply(recorded()).body, delay=0.15)
        results = engine.refresh_due(breaker)
        assert any(result.error is None for result in results)
        left = RefreshState.objects.due(timezone.now()).count()
        assert left == sum(result.out_of_time for result in results) > 0
        assert breaker.open_buckets() == []
        breaker.begin(BUCKET)
        assert breaker.open_buckets() == [BUCKET]

    def test_watchers_do_not_pile_up(self, aws: ScriptedServer) -> None:
        earlier = timezone.now() - timedelta(seconds=3)
        render = make_render(asked_at=earlier, next_refresh_at=earlier + LEASE)
        refresh_render(Render.objects.get())
        assert not aws.requests
        assert next_refresh_at() == earlier + LEASE
        RefreshState.objects.update(answered_at=earlier)
        refresh_render(Render.objects.get())
        assert aws.count(progress_path(render)) == 1

    def test_one_that_ends_this_moment_is_answered_from_its_row(
        self, aws: ScriptedServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        render = make_render()

        def end(_: Render) -> bool:
            RefreshState.objects.all().delete()
            return True

        monkeypatch.setattr(engine, "claim_for_watcher", end)
        assert refresh_render(render) == render
        assert not aws.requests


class TestStalled:
    def test_it_is_told_and_goes_on(self, aws: ScriptedServer) -> None:
        moved_at = timezone.now() - timedelta(seconds=121)
        render = make_render(progress=0.568, progressed_at=moved_at)
        aws.answers[progress_path(render)] = reply(recorded(step=10))
        refresh_due()
        render.refresh_from_db()
        assert render.is_stalled
        assert (render.status, render.progressed_at) == (Status.RENDERING, moved_at)
        make_due()
        aws.answers[progress_path(render)] = reply(recorded(step=12))
        refresh_due()
        render.refresh_from_db()
        assert not render.is_stalled

    def test_one_that_is_over_is_not(self) -> None:
        then = timezone.now() - timedelta(hours=1)
        assert not make_render(Status.FAILED, progressed_at=then, refreshed_at=timezone.now()).is_stalled
