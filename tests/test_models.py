from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import IntegrityError, connection, transaction
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
    "deadline_at": None,
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
        transitions.record_progress(render, **READING, progress_json={}, at=now)
        transitions.record_progress(
            render, **{**READING, "progress": 0.2, "frames_rendered": 3}, progress_json={"new": 1}, at=now
        )
        saved(render)
        assert (render.progress, render.frames_rendered, render.progress_json) == (0.5, 75, {"new": 1})

    def test_progress_never_passes_one(self) -> None:
        render = make_render()
        transitions.record_progress(
            render, **{**READING, "progress": 1.0000000000000002}, progress_json={}, at=timezone.now()
        )
        assert render.progress == 1.0

    def test_rendering_becomes_succeeded_and_stays(self) -> None:
        render = make_render()
        assert transitions.mark_succeeded(render, **OUTPUT, at=timezone.now())
        assert not transitions.mark_succeeded(render, **OUTPUT, at=timezone.now())
        assert not transitions.mark_failed(render, Render.FailureReason.LOST, error="late", at=timezone.now())
        assert not transitions.record_progress(render, **READING, progress_json={}, at=timezone.now())
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


class TestConstraints:
    @pytest.mark.parametrize(
        ("constraint", "fields"),
        [
            ("render_(status_known|finished_at_when_terminal)", {"status": "dancing"}),
            ("render_progress_from_0_to_1", {"progress": 1.1}),
            ("render_progress_from_0_to_1", {"progress": -0.1}),
            ("render_finished_at_when_terminal", {"status": "succeeded", "finished_at": None}),
            ("render_finished_at_when_terminal", {"status": "rendering", "finished_at": timezone.now()}),
            ("render_failure_reason_when_failed", {"status": "failed", "failure_reason": ""}),
            ("render_failure_reason_when_failed", {"status": "rendering", "failure_reason": "lost"}),
            ("render_rendering_has_render_id", {"status": "rendering", "render_id": ""}),
        ],
    )
    def test_what_must_never_be_false(self, constraint: str, fields: dict[str, Any]) -> None:
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            make_render(**fields)

    def test_one_row_for_a_remote_render(self) -> None:
        make_render(render_id="abc123")
        with pytest.raises(IntegrityError), transaction.atomic():
            make_render(render_id="abc123")

    def test_many_rows_without_one(self) -> None:
        make_render(Status.SUBMITTING)
        make_render(Status.SUBMITTING)


class TestQuerySet:
    def test_every_status_is_either_active_or_terminal(self) -> None:
        assert set(Render.ACTIVE) | set(Render.TERMINAL) == set(Status)
        assert not set(Render.ACTIVE) & set(Render.TERMINAL)

    def test_active_and_submitted(self) -> None:
        rows = {status: make_render(status) for status in Status}
        assert set(Render.objects.active()) == {rows[status] for status in Render.ACTIVE}
        assert set(Render.objects.submitted()) == {rows[Status.SUBMITTING], rows[Status.RENDERING]}

    def test_the_active_ones_are_found_by_their_index(self) -> None:
        make_render()
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL enable_seqscan = off")
        assert "render_active" in Render.objects.submitted().order_by("created_at").explain()

    def test_owner_sees_own_staff_all_and_nobody_the_ownerless(self, user: User, staff: User) -> None:
        own, other, ownerless = make_render(owner=user), make_render(owner=staff), make_render()
        assert set(Render.objects.visible_to(user)) == {own}
        assert set(Render.objects.visible_to(staff)) == {own, other, ownerless}
        assert set(Render.objects.visible_to(AnonymousUser())) == {ownerless}

    def test_either_id_finds_a_render(self) -> None:
        render, other = make_render(), make_render()
        make_render(Status.SUBMITTING)
        assert set(Render.objects.matching_id(str(render.id), other.render_id, "", "nonsense")) == {render, other}
