from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from renders.models import RefreshState, Render, RenderQuerySet
from renders.models.refresh_state import RefreshStateQuerySet
from renders.remotion import reader
from renders.remotion.errors import Unavailable
from renders.remotion.reader import FetchFailed, Unchanged
from renders.services.create import create_render
from renders.services.refresh import engine
from renders.services.refresh.apply import apply
from renders.services.refresh.circuit_breaker import CircuitBreaker
from renders.services.refresh.engine import refresh_render
from renders.services.refresh.lease import LEASE, claim_due
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
        create_render(owner=None, input_props=INPUT_PROPS, may_wait=True)
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


class TestBatches:
    def statements(self, count: int, aws: ScriptedServer) -> int:
        Render.objects.all().delete()
        for step, name in enumerate(["succeeds", "throws-in-chunk"] * (count // 2)):
            render = make_render()
            if step % 4:
                aws.answers[progress_path(render)] = reply(recorded(name, -1 if step % 3 else 10))
        with CaptureQueriesContext(connection) as queries:
            assert len(refresh_due()) == count
        return len(queries)

    def test_statements_do_not_grow_with_the_batch(self, aws: ScriptedServer) -> None:
        assert self.statements(24, aws) == self.statements(120, aws) <= 16

    def test_nor_when_s3_fails(self, aws: ScriptedServer) -> None:
        aws.answers["/"] = s3_error(500, "InternalError")
        for _ in range(100):
            make_render()
        with CaptureQueriesContext(connection) as queries:
            assert all(result.error for result in refresh_due())
        assert len(queries) <= 12

    @pytest.mark.parametrize("result", [Unchanged(), FetchFailed(Unavailable("S3 failed."))])
    def test_a_row_that_another_worker_has_ended_meanwhile_breaks_nothing(
        self, result: Unchanged | FetchFailed, caplog: pytest.LogCaptureFixture
    ) -> None:
        ended = make_render(etag='"x"', deadline_at=timezone.now() + timedelta(hours=1))
        others = [make_render() for _ in range(3)]
        claimed = claim_due([])
        RefreshState.objects.filter(pk=ended.pk).delete()
        results = apply(claimed, [result] * len(claimed))
        assert {refreshed.render for refreshed in results} == {ended, *others}
        assert set(RefreshState.objects.values_list("pk", flat=True)) == {render.pk for render in others}
        assert not caplog.records

    def test_each_row_gets_what_is_its_own(self, aws: ScriptedServer) -> None:
        renders = [make_render() for _ in range(30)]
        for number, render in enumerate(renders):
            aws.answers[progress_path(render)] = reply({**recorded(step=10), "framesRendered": number})
        refresh_due()
        assert [Render.objects.get(pk=render.pk).frames_rendered for render in renders] == list(range(30))

    def test_text_of_every_kind_is_stored_as_it_is(self, aws: ScriptedServer) -> None:
        text = 'it\'s "quoted" \\ %s {} \N{PILE OF POO} \u2028 é'
        render = make_render()
        broken = recorded("throws-in-chunk")
        broken["errors"][0]["message"] = text
        aws.answers[progress_path(render)] = reply(broken)
        refresh_due()
        render.refresh_from_db()
        assert render.errors[0]["message"] == text
        assert text in render.error

    @pytest.mark.parametrize("failures", [1, 2])
    def test_a_database_that_breaks_is_tried_once_more_and_not_row_by_row(
        self, aws: ScriptedServer, monkeypatch: pytest.MonkeyPatch, failures: int
    ) -> None:
        save_changes, calls = RenderQuerySet.save_changes, []

        def break_off(self: RenderQuerySet, renders: list[Render]) -> None:
            calls.append(renders)
            if len(calls) <= failures:
                raise OperationalError("deadlock detected")
            save_changes(self, renders)

        monkeypatch.setattr(RenderQuerySet, "save_changes", break_off)
        for _ in range(5):
            make_render()
        aws.answers[RENDERS] = reply(recorded())
        breaker = CircuitBreaker()
        with nullcontext() if failures == 1 else pytest.raises(OperationalError):
            engine.refresh_due(breaker)
        assert breaker.open_buckets() == []  # S3 has answered
        assert len(calls) == 2
        assert Render.objects.filter(status=Status.SUCCEEDED).count() == (5 if failures == 1 else 0)

    def test_the_second_attempt_schedules_as_the_first_would_have(
        self, aws: ScriptedServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        update_many, calls = RefreshStateQuerySet.update_many, []

        def break_off_once(
            self: RefreshStateQuerySet, rows: list[RefreshState], names: tuple[str, ...], **options: Any
        ) -> None:
            calls.append(names)
            if len(calls) == 1:
                raise OperationalError("the connection is lost")
            update_many(self, rows, names, **options)

        monkeypatch.setattr(RefreshStateQuerySet, "update_many", break_off_once)
        render = make_render(submitted_at=timezone.now())
        aws.answers[progress_path(render)] = reply(recorded(step=10))
        refresh_due()
        assert next_refresh_at() <= timezone.now() + timedelta(seconds=1)

    def test_one_row_that_cannot_be_saved_keeps_none_of_the_others(
        self, aws: ScriptedServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bad, good = make_render(), make_render()
        save_changes = RenderQuerySet.save_changes

        def refuse(self: RenderQuerySet, renders: list[Render]) -> None:
            if bad in renders:
                raise DatabaseError("No.")
            save_changes(self, renders)

        monkeypatch.setattr(RenderQuerySet, "save_changes", refuse)
        aws.answers[RENDERS] = reply(recorded())
        results = {result.render.pk: result for result in refresh_due()}
        assert "could not be saved" in str(results[bad.pk].error)
        good.refresh_from_db()
        assert good.status == Status.SUCCEEDED
