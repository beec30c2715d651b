"""Saving a batch: how many statements it takes, whose values a row gets, a database that breaks."""

from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from renders.models import RefreshState, Render, RenderQuerySet, UsageDay
from renders.models.refresh_state import RefreshStateQuerySet
from renders.remotion.errors import Unavailable
from renders.remotion.reader import FetchFailed, Unchanged
from renders.services.refresh import engine
from renders.services.refresh.apply import apply
from renders.services.refresh.circuit_breaker import CircuitBreaker
from renders.services.refresh.lease import claim_due
from tests.factories import make_render
from tests.s3 import RENDERS, progress_path, recorded
from tests.servers import ScriptedServer, reply, s3_error
from tests.services.refresh.due import next_refresh_at, refresh_due

pytestmark = pytest.mark.django_db
Status, Reason = Render.Status, Render.FailureReason


class TestBatches:
    def statements(self, count: int, aws: ScriptedServer) -> int:
        Render.objects.all().delete()
        UsageDay.objects.all().delete()  # the first end of a day inserts a row
        for step, name in enumerate(["succeeds", "throws-in-chunk"] * (count // 2)):
            render = make_render()
            if step % 4:
                aws.answers[progress_path(render)] = reply(recorded(name, -1 if step % 3 else 10))
        with CaptureQueriesContext(connection) as queries:
            assert len(refresh_due()) == count
        return len(queries)

    def test_statements_do_not_grow_with_the_batch(self, aws: ScriptedServer) -> None:
        assert self.statements(24, aws) == self.statements(120, aws) <= 25

    def test_nor_when_s3_fails(self, aws: ScriptedServer) -> None:
        aws.answers["/"] = s3_error(500, "InternalError")
        for _ in range(100):
            make_render()
        with CaptureQueriesContext(connection) as queries:
            assert all(result.error for result in refresh_due())
        assert len(queries) <= 12

    def test_audio_has_a_length_and_no_size(self, aws: ScriptedServer) -> None:
        render = make_render(codec="mp3", extension="mp3", duration_in_frames=None)
        aws.answers[progress_path(render)] = reply(recorded("audio"))
        refresh_due()
        render.refresh_from_db()
        assert (render.duration_in_frames, render.duration, render.width) == (45, 1.5, None)

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
