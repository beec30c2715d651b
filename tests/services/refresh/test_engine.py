from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from renders.models import RefreshState, Render, transitions
from renders.remotion.errors import Unavailable
from renders.remotion.reader import Missing
from renders.remotion.target import LambdaTarget
from renders.services.refresh import engine
from renders.services.refresh.engine import refresh_render, refresh_renders
from tests.factories import BUCKET, INPUT_PROPS, make_render
from tests.s3 import NO_METADATA, progress_path, recorded
from tests.servers import Answer, ScriptedServer, reply, s3_error

pytestmark = pytest.mark.django_db
Status, Reason = Render.Status, Render.FailureReason


def output_path(render: Render) -> str:
    return f"/{BUCKET}/renders/{render.render_id}/{render.id}.mp4"


def refreshed(render: Render) -> Render:
    refresh_render(render)
    return Render.objects.get(pk=render.pk)


class TestRefreshRender:
    def test_progress_is_taken(self, aws: ScriptedServer) -> None:
        render = make_render()
        aws.answers[progress_path(render)] = reply(recorded("succeeds", 10))
        row = refreshed(render)
        assert (row.status, row.progress, row.frames_rendered) == (Status.RENDERING, 0.568, 92)
        assert row.refreshed_at is not None
        assert row.cost is not None

    def test_done_is_succeeded(self, aws: ScriptedServer) -> None:
        render = make_render()
        aws.answers[progress_path(render)] = reply(recorded("succeeds"))
        row = refreshed(render)
        assert (row.status, row.progress, row.frames_rendered) == (Status.SUCCEEDED, 1.0, 150)
        assert (row.output_bucket, row.output_key, row.output_size) == (BUCKET, "renders/62jq0llxxv/out.mp4", 298354)
        assert (row.cost, row.currency) == (0.0007, "USD")

    def test_a_fatal_error_is_failed_with_its_message(self, aws: ScriptedServer) -> None:
        render = make_render()
        aws.answers[progress_path(render)] = reply(recorded("throws-in-chunk"))
        row = refreshed(render)
        assert (row.status, row.failure_reason, row.error) == (Status.FAILED, Reason.RENDER_ERROR, "boom at 100")
        assert len(row.errors) == 2
        assert row.cost == 0.00053

    def test_a_fatal_error_needs_no_output_looked_for(self, aws: ScriptedServer) -> None:
        render = make_render()
        aws.answers[progress_path(render)] = reply({**recorded("throws-in-chunk"), "timeoutTimestamp": 1})
        assert refreshed(render).failure_reason == Reason.RENDER_ERROR
        assert aws.count(output_path(render)) == 0

    def test_frames_are_those_that_were_rendered(self, aws: ScriptedServer) -> None:
        render = make_render(input_props={**INPUT_PROPS, "durationInFrames": 10})
        aws.answers[progress_path(render)] = reply(recorded("succeeds"))
        assert refreshed(render).frames_rendered == 150

    def test_an_error_without_words_has_some(self, aws: ScriptedServer) -> None:
        render = make_render()
        broken = recorded("bad-metadata")
        broken["errors"][0]["message"] = " \n"
        aws.answers[progress_path(render)] = reply(broken)
        assert refreshed(render).error == "Remotion failed without a message."

    def test_a_missing_file_is_normal_after_the_start(self, aws: ScriptedServer) -> None:
        row = refreshed(make_render())
        assert row.status == Status.RENDERING
        assert row.refreshed_at is not None

    def test_a_render_that_vanished_is_lost_when_its_time_is_up(self, aws: ScriptedServer) -> None:
        render = make_render(submitted_at=timezone.now() - timedelta(seconds=301))
        row = refreshed(render)
        assert (row.status, row.failure_reason) == (Status.FAILED, Reason.LOST)
        assert aws.count(output_path(render)) == 1

    def test_its_output_alone_makes_it_succeed(self, aws: ScriptedServer) -> None:
        render = make_render(submitted_at=timezone.now() - timedelta(seconds=301))
        aws.answers[output_path(render)] = Answer(b"12345")
        row = refreshed(render)
        assert (row.status, row.output_size) == (Status.SUCCEEDED, 5)
        assert output_path(render) == f"/{row.output_bucket}/{row.output_key}"

    @pytest.mark.parametrize("step", [0, 5], ids=["before metadata", "chunks missing"])
    def test_past_the_deadline_it_has_timed_out(self, aws: ScriptedServer, step: int) -> None:
        render = make_render()
        aws.answers[progress_path(render)] = reply({**recorded("succeeds", step), "timeoutTimestamp": 1})
        row = refreshed(render)
        assert (row.status, row.failure_reason) == (Status.FAILED, Reason.TIMED_OUT)
        assert "240 seconds" in row.error
        assert aws.count(output_path(render)) == 1

    def test_unless_its_output_is_there(self, aws: ScriptedServer) -> None:
        render = make_render()
        aws.answers[progress_path(render)] = reply({**recorded("succeeds", 5), "timeoutTimestamp": 1})
        aws.answers[output_path(render)] = Answer(b"12345")
        assert refreshed(render).status == Status.SUCCEEDED

    def test_nor_if_the_output_cannot_be_looked_for(self, aws: ScriptedServer) -> None:
        render = make_render()
        aws.answers[progress_path(render)] = reply({**recorded("succeeds", 5), "timeoutTimestamp": 1})
        aws.answers[output_path(render)] = Answer(status=500)
        with pytest.raises(Unavailable):
            refresh_render(render)
        assert Render.objects.get().status == Status.RENDERING

    @pytest.mark.parametrize(
        "answer",
        [
            s3_error(500, "InternalError"),
            Answer(b"{"),
            Answer(reset=True),
            reply({"not": "progress"}),
            reply({}),
            NO_METADATA,
        ],
    )
    def test_what_says_nothing_of_the_render_leaves_the_row_as_it_was(
        self, aws: ScriptedServer, answer: Answer
    ) -> None:
        render = make_render(progress=0.4)
        before = Render.objects.values().get()
        aws.answers[progress_path(render)] = answer
        with pytest.raises(Unavailable):
            refresh_render(render)
        assert Render.objects.values().get() == before
        assert RefreshState.objects.get().answered_at is None

    @pytest.mark.parametrize("status", [*Render.TERMINAL, Status.QUEUED])
    def test_terminal_and_queued_rows_never_call_aws(self, aws: ScriptedServer, status: str) -> None:
        render = make_render(status)
        assert refreshed(render).status == status
        assert not aws.requests

    def test_a_second_reading_within_a_second_is_answered_from_the_row(self, aws: ScriptedServer) -> None:
        render = make_render()
        first = refreshed(render)
        refresh_render(first)
        assert aws.count(progress_path(render)) == 1
        RefreshState.objects.update(asked_at=timezone.now() - timedelta(seconds=1.1))
        refresh_render(Render.objects.get())
        assert aws.count(progress_path(render)) == 2

    def test_an_unknown_outcome_is_not_told_by_a_reading(self, aws: ScriptedServer) -> None:
        over = make_render(Status.SUBMITTING, submitted_at=timezone.now() - timedelta(days=1))
        assert refreshed(over).status == Status.SUBMITTING
        assert not aws.requests

    def test_what_was_read_of_another_render_changes_nothing(self, aws: ScriptedServer) -> None:
        row = make_render(submitted_at=timezone.now() - timedelta(seconds=301))
        stale = Render.objects.get()
        stale.render_id = ""  # as it was before it was found
        (result,) = refresh_renders([stale])
        assert (result.render.status, result.render.pk) == (Status.RENDERING, row.pk)

    def test_the_region_is_that_of_the_row(self, aws: ScriptedServer, monkeypatch: Any) -> None:
        regions = []

        def fetch_many(config: LambdaTarget, **_: Any) -> list[Missing]:
            regions.append(config.region)
            return [Missing()]

        monkeypatch.setattr(engine, "fetch_many", fetch_many)
        refresh_render(make_render(region="eu-central-1"))
        assert regions == ["eu-central-1"]


class TestRefreshRenders:
    def test_one_that_fails_keeps_none_of_the_others(self, aws: ScriptedServer) -> None:
        good, bad, other = make_render(), make_render(), make_render()
        aws.answers[progress_path(bad)] = s3_error(403, "AccessDenied")
        for render in (good, other):
            aws.answers[progress_path(render)] = reply(recorded("succeeds"))
        results = {result.render.pk: result for result in refresh_renders(Render.objects.submitted())}
        assert [bool(results[render.pk].error) for render in (good, bad, other)] == [False, True, False]
        assert Render.objects.filter(status=Status.SUCCEEDED).count() == 2

    def test_a_row_that_cannot_be_saved_keeps_none_of_the_others(self, aws: ScriptedServer) -> None:
        gone, other = make_render(), make_render()
        rows = [gone, other]
        Render.objects.filter(pk=gone.pk).delete()
        first, second = refresh_renders(rows)
        assert "was deleted" in str(first.error)
        assert second.error is None

    def test_a_row_that_ended_meanwhile_stays_as_it_is(self, aws: ScriptedServer) -> None:
        render = make_render()
        aws.answers[progress_path(render)] = reply(recorded("throws-in-chunk"))
        stale = Render.objects.get()
        transitions.mark_succeeded(render, output_bucket=BUCKET, output_key="k", output_size=1, at=timezone.now())
        render.save_changes()
        (result,) = refresh_renders([stale])
        assert result.render.status == Status.SUCCEEDED
