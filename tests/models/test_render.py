from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import IntegrityError, transaction
from django.db.models import Index, UniqueConstraint
from django.utils import timezone

from renders.models import Render, transitions
from tests.factories import make_render

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


class TestIndexes:
    def test_a_refresh_writes_no_column_of_an_index(self) -> None:
        """On PostgreSQL such an update is "HOT": it writes none of the indexes."""
        render = make_render()
        transitions.record_progress(render, **READING, at=timezone.now())
        indexed = {"id"}
        for index in (*Render._meta.indexes, *Render._meta.constraints):
            if isinstance(index, Index | UniqueConstraint):
                indexed |= {name.removeprefix("-") for name in index.fields}
                indexed |= index.condition.referenced_base_fields if index.condition else set()
        assert {"status", "retry_of", "render_id"} <= indexed
        assert not render.changed_fields & indexed


class TestQuerySet:
    def test_every_status_is_either_active_or_terminal(self) -> None:
        assert set(Render.ACTIVE) | set(Render.TERMINAL) == set(Status)
        assert not set(Render.ACTIVE) & set(Render.TERMINAL)

    def test_active_and_submitted(self) -> None:
        rows = {status: make_render(status) for status in Status}
        assert set(Render.objects.active()) == {rows[status] for status in Render.ACTIVE}
        assert set(Render.objects.submitted()) == {rows[Status.SUBMITTING], rows[Status.RENDERING]}

    @pytest.mark.parametrize(
        "statuses", [["failed"], ["succeeded"], ["queued", "cancelled"], ["failed", "succeeded"], []]
    )
    def test_with_status(self, statuses: list[str]) -> None:
        rows = {status.value: make_render(status) for status in Status}
        assert set(Render.objects.with_status(*statuses)) == {rows[status] for status in statuses}

    def test_with_failure_reason(self) -> None:
        rows = {reason: make_render(Status.FAILED, failure_reason=reason) for reason in Render.FailureReason}
        make_render()
        chosen = (Render.FailureReason.LOST, Render.FailureReason.REJECTED)
        assert set(Render.objects.with_failure_reason(*chosen)) == {rows[reason] for reason in chosen}

    def test_a_key_is_its_owners(self, user: User) -> None:
        own, ownerless = make_render(owner=user, idempotency_key="a"), make_render(idempotency_key="a")
        make_render(owner=user)
        assert list(Render.objects.with_key("a", owner=user)) == [own]
        assert list(Render.objects.with_key("a", owner=None)) == [ownerless]
        assert not Render.objects.with_key("", owner=user)
        assert set(Render.objects.with_any_key()) == {own, ownerless}

    def test_with_render_id(self) -> None:
        render, other, _ = make_render(), make_render(), make_render()
        make_render(Status.SUBMITTING)
        assert set(Render.objects.with_render_id(render.render_id, other.render_id, "")) == {render, other}

    def test_ended_before(self) -> None:
        now = timezone.now()
        old = make_render(Status.FAILED, finished_at=now - timedelta(hours=2))
        make_render(created_at=now - timedelta(hours=2))
        make_render(Status.FAILED, created_at=now - timedelta(hours=2), finished_at=now)
        assert list(Render.objects.ended_before(now - timedelta(hours=1))) == [old]

    def test_owner_sees_own_staff_all_and_nobody_the_ownerless(self, user: User, staff: User) -> None:
        own, other, ownerless = make_render(owner=user), make_render(owner=staff), make_render()
        assert set(Render.objects.visible_to(user)) == {own}
        assert set(Render.objects.visible_to(staff)) == {own, other, ownerless}
        assert set(Render.objects.visible_to(AnonymousUser())) == {ownerless}

    def test_either_id_finds_a_render(self) -> None:
        render, other = make_render(), make_render()
        make_render(Status.SUBMITTING)
        assert set(Render.objects.matching_id(str(render.id), other.render_id, "", "nonsense")) == {render, other}
