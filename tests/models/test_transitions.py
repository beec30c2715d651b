from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from renders.models import Render, transitions
from renders.models.transitions import IllegalTransition
from tests.factories import BUCKET, make_render

pytestmark = pytest.mark.django_db
Status = Render.Status
READING: dict[str, Any] = {
    "progress": 0.5,
    "frames_rendered": 75,
    "errors": [],
    "cost": 0.001,
    "currency": "USD",
    "function_seconds": 9.5,
    "deadline_at": None,
    "first_chunk_at": None,
}
OUTPUT: dict[str, Any] = {"output_bucket": BUCKET, "output_key": "renders/x/y.mp4", "output_size": 9}
REMOTE = {"render_id": "abc123", "bucket_name": BUCKET, "cloudwatch_logs": "c", "folder_in_s3_console": "f"}


def saved(render: Render) -> None:
    render.save_changes()
    render.refresh_from_db()


class TestTransitions:
    def test_submitting_becomes_rendering_once(self) -> None:
        render = make_render(Status.SUBMITTING)
        assert transitions.mark_rendering(render, **REMOTE)
        assert not transitions.mark_rendering(render, **REMOTE)
        saved(render)
        assert (render.status, render.render_id) == (Status.RENDERING, "abc123")

    @pytest.mark.parametrize("status", [status for status in Status if status != Status.SUBMITTING])
    def test_no_other_status_takes_a_render_id(self, status: str) -> None:
        with pytest.raises(IllegalTransition):
            transitions.mark_rendering(make_render(status), **REMOTE)

    def test_one_that_was_cancelled_before_aws_answered_takes_it_and_is_stopped_then(self) -> None:
        render = make_render(Status.CANCELLED, render_id="", bucket_name="", cancel_requested_at=timezone.now())
        assert transitions.mark_rendering(render, **REMOTE)
        saved(render)
        assert (render.status, render.finished_at) == (Status.RENDERING, None)
        assert render.cancel_requested_at

    def test_but_not_one_that_was_never_submitted(self) -> None:
        render = make_render(Status.CANCELLED, render_id="", bucket_name="", submitted_at=None)
        with pytest.raises(IllegalTransition):
            transitions.mark_rendering(render, **REMOTE)

    def test_progress_and_frames_only_rise(self) -> None:
        render = make_render()
        now = timezone.now()
        transitions.record_progress(render, **READING, at=now)
        transitions.record_progress(render, **{**READING, "progress": 0.2, "frames_rendered": 3}, at=now)
        saved(render)
        assert (render.progress, render.frames_rendered) == (0.5, 75)

    @pytest.mark.parametrize(("minutes", "is_believed"), [(-1, True), (1, False)])
    def test_first_frames_were_there_when_seen_or_when_a_chunk_was_ready_before(
        self, minutes: int, is_believed: bool
    ) -> None:
        render, now = make_render(), timezone.now()
        transitions.record_progress(render, **{**READING, "frames_rendered": 0}, at=now)
        assert render.first_frame_at is None
        ready_at = now + timedelta(minutes=minutes)
        transitions.record_progress(render, **{**READING, "first_chunk_at": ready_at}, at=now)
        transitions.record_progress(render, **READING, at=now + timedelta(minutes=2))
        assert render.first_frame_at == (ready_at if is_believed else now)

    def test_progress_never_passes_one(self) -> None:
        render = make_render()
        transitions.record_progress(render, **{**READING, "progress": 1.0000000000000002}, at=timezone.now())
        assert render.progress == 1.0

    def test_rendering_becomes_succeeded_and_stays(self) -> None:
        render = make_render()
        assert transitions.mark_succeeded(render, **OUTPUT, at=timezone.now())
        assert not transitions.mark_succeeded(render, **OUTPUT, at=timezone.now())
        assert not transitions.mark_failed(render, Render.FailureReason.LOST, error="late", at=timezone.now())
        assert not transitions.record_progress(render, **READING, at=timezone.now())
        saved(render)
        assert (render.status, render.progress) == (Status.SUCCEEDED, 1.0)

    def test_a_failed_render_succeeds_when_its_output_turns_up(self) -> None:
        render = make_render(Status.FAILED, error="timed out")
        assert transitions.mark_succeeded(render, **OUTPUT, at=timezone.now())
        saved(render)
        assert (render.status, render.failure_reason, render.error) == (Status.SUCCEEDED, "", "")

    @pytest.mark.parametrize("status", Render.ACTIVE)
    def test_whatever_is_active_can_fail_once(self, status: str) -> None:
        render = make_render(status)
        assert transitions.mark_failed(render, Render.FailureReason.LOST, error="gone", at=timezone.now())
        assert not transitions.mark_failed(render, Render.FailureReason.TIMED_OUT, error="late", at=timezone.now())
        saved(render)
        assert (render.status, render.failure_reason, render.error) == (Status.FAILED, "lost", "gone")

    def test_doubt_is_recorded_while_submitting_only(self) -> None:
        assert transitions.record_unconfirmed(make_render(Status.SUBMITTING), error="no answer")
        assert not transitions.record_unconfirmed(make_render(Status.RENDERING), error="no answer")
