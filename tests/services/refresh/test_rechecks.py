from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from renders.models import RefreshState, Render
from renders.services.reconcile import reconcile
from tests.factories import BUCKET, make_due, make_render
from tests.s3 import RENDERS, progress_path, recorded
from tests.servers import Answer, ScriptedServer, reply
from tests.services.refresh.due import next_refresh_at, refresh_due

pytestmark = pytest.mark.django_db
Status, Reason = Render.Status, Render.FailureReason


class TestClockSkew:
    @pytest.mark.parametrize("minutes", [-2, 2])
    @pytest.mark.parametrize("step", [0, 10])
    def test_a_clock_that_is_off_does_not_fail_a_healthy_render(
        self, aws: ScriptedServer, monkeypatch: pytest.MonkeyPatch, minutes: int, step: int
    ) -> None:
        render = make_render()
        aws.answers[progress_path(render)] = reply(recorded(step=step))
        right = timezone.now
        monkeypatch.setattr(timezone, "now", lambda: right() + timedelta(minutes=minutes))
        make_due(submitted_at=timezone.now())
        refresh_due()
        render.refresh_from_db()
        assert render.status == Status.RENDERING
        assert render.refreshed_at

    def test_nor_keep_one_alive_for_ever(self, aws: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
        render = make_render()
        aws.answers[progress_path(render)] = reply(recorded(step=10, seconds_left=-30))
        right = timezone.now
        monkeypatch.setattr(timezone, "now", lambda: right() + timedelta(minutes=2))
        refresh_due()
        assert Render.objects.get().failure_reason == Reason.TIMED_OUT


class TestLateTruth:
    @pytest.mark.parametrize("reason", [Reason.TIMED_OUT, Reason.LOST])
    def test_an_output_that_turns_up_makes_it_succeed(self, aws: ScriptedServer, reason: str) -> None:
        finished_at = timezone.now() - timedelta(minutes=6)
        render = make_render(Status.FAILED, failure_reason=reason, finished_at=finished_at)
        make_due()
        refresh_due()
        render.refresh_from_db()
        assert render.status == Status.FAILED
        assert next_refresh_at() == finished_at + timedelta(hours=1)
        aws.answers[f"{RENDERS}{render.render_id}/{render.out_name}"] = Answer(b"12345")
        make_due()
        refresh_due()
        render.refresh_from_db()
        assert (render.status, render.output_size) == (Status.SUCCEEDED, 5)
        assert not RefreshState.objects.exists()

    def test_so_does_a_progress_json_that_is_done(self, aws: ScriptedServer) -> None:
        render = make_render(Status.FAILED, failure_reason=Reason.TIMED_OUT)
        aws.answers[progress_path(render)] = reply(recorded())
        make_due()
        refresh_due()
        render.refresh_from_db()
        assert (render.status, render.cost, render.error) == (Status.SUCCEEDED, 0.0007, "")

    def test_the_third_look_is_the_last(self, aws: ScriptedServer) -> None:
        old = timezone.now() - timedelta(hours=24, seconds=1)
        make_render(Status.FAILED, failure_reason=Reason.LOST, finished_at=old)
        make_due()
        refresh_due()
        assert not RefreshState.objects.exists()

    def test_a_row_that_times_out_is_looked_at_again(self, aws: ScriptedServer) -> None:
        render = make_render()
        aws.answers[progress_path(render)] = reply(recorded(step=10, seconds_left=-30))
        refresh_due()
        render.refresh_from_db()
        assert render.finished_at
        assert next_refresh_at() == render.finished_at + timedelta(minutes=5)

    def test_one_whose_start_was_unconfirmed_is_sought_again(self, bucket: Any) -> None:
        lost = make_render(Status.FAILED, failure_reason=Reason.LOST, render_id="", bucket_name="")
        make_due()
        reconcile()
        lost.refresh_from_db()
        assert lost.status == Status.FAILED
        assert next_refresh_at() > timezone.now()
        bucket.put_object(Bucket=BUCKET, Key=f"renders/abc/{lost.out_name}", Body=b"12345")
        make_due()
        assert reconcile().found == 1
        lost.refresh_from_db()
        assert (lost.status, lost.render_id) == (Status.RENDERING, "abc")
