"""The queries that find renders, each by the index that it needs."""

import contextlib
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Q

from renders.models.bulk_update import BulkUpdateQuerySet

if TYPE_CHECKING:
    from renders.models.render import Render

ADMISSION_LOCK = 0x52454E44
"""Key of PostgreSQL's advisory lock: "REND" in ASCII; no other advisory lock of ours exists."""

# Conditions of partial indexes. A query states the condition of the index that it needs: SQLite never concludes it
# from the other filters, and PostgreSQL does not from a list of more than 100 values.
HAS_RENDER_ID = Q(render_id__gt="")
HAS_IDEMPOTENCY_KEY = Q(idempotency_key__gt="")
HAS_REUSE_KEY = Q(reuse_key__gt="")
HAS_FAILURE_REASON = Q(failure_reason__gt="")
HAS_NOT_SUCCEEDED = ~Q(status="succeeded")


class RenderQuerySet(BulkUpdateQuerySet["Render"]):
    def with_status(self, *statuses: str) -> "RenderQuerySet":
        """Renders in one of these statuses."""
        renders = self.filter(status__in=statuses)
        return renders if self.model.Status.SUCCEEDED in statuses else renders._stating(HAS_NOT_SUCCEEDED)

    def with_failure_reason(self, *reasons: str) -> "RenderQuerySet":
        """Renders that failed for one of these reasons."""
        return self.filter(failure_reason__in=reasons)._stating(HAS_FAILURE_REASON)

    def active(self) -> "RenderQuerySet":
        """Renders that can still change by themselves: queued, submitting or rendering."""
        return self.with_status(*self.model.ACTIVE)

    def submitted(self) -> "RenderQuerySet":
        """Active renders that AWS has been asked to start."""
        return self.with_status(self.model.Status.SUBMITTING, self.model.Status.RENDERING)

    def queued(self) -> "RenderQuerySet":
        """Queued renders in the order in which they start."""
        return self.filter(status=self.model.Status.QUEUED).order_by("queue_rank", "id")

    def unconfirmed(self) -> "RenderQuerySet":
        """Renders whose start has no answer yet: the call is under way, or its outcome is unknown."""
        return self.with_status(self.model.Status.SUBMITTING)

    def using_slots(self, at: datetime) -> "RenderQuerySet":
        """Renders whose functions may be running on AWS at ``at``."""
        return self.submitted().filter(slots_until__gt=at)

    def lost_and_due(self, at: datetime) -> "RenderQuerySet":
        """Lost renders without a renderId whose recheck is due at ``at``."""
        lost = self.with_failure_reason(self.model.FailureReason.LOST)
        return lost.filter(refresh_state__next_refresh_at__lte=at, render_id="")

    def ended_before(self, at: datetime) -> "RenderQuerySet":
        """Renders that ended before ``at``."""
        # None ended before it was created, so that the index of the newest renders finds them.
        return self.filter(created_at__lt=at, finished_at__lt=at)

    def with_any_key(self) -> "RenderQuerySet":
        """Renders that have an idempotency key."""
        return self.filter(HAS_IDEMPOTENCY_KEY)

    def with_key(self, idempotency_key: str, *, owner: Any) -> "RenderQuerySet":
        """The render that ``owner`` (a user or None) created with this key, if there is one."""
        return self.with_any_key().filter(idempotency_key=idempotency_key, owner=owner)

    def reusable(self, reuse_key: str) -> "RenderQuerySet":
        """Renders with this key that are under way or have succeeded, the newest first."""
        status = self.model.Status
        statuses = (status.QUEUED, status.SUBMITTING, status.RENDERING, status.SUCCEEDED)
        renders = self.filter(HAS_REUSE_KEY, reuse_key=reuse_key, status__in=statuses, cancel_requested_at=None)
        return renders.order_by("-created_at", "-id")

    def with_render_id(self, *render_ids: str) -> "RenderQuerySet":
        """Renders with one of these renderIds of Remotion's; each is unique in its bucket."""
        return self.filter(HAS_RENDER_ID, render_id__in=render_ids)

    def matching_id(self, *texts: str) -> "RenderQuerySet":
        """Renders whose id, ours or Remotion's, is among ``texts``."""
        ours = []
        for text in texts:
            with contextlib.suppress(ValueError):
                ours.append(uuid.UUID(text))
        return self.filter(Q(pk__in=ours) | Q(render_id__in=texts) & HAS_RENDER_ID)

    def _stating(self, condition: Q) -> "RenderQuerySet":
        """State the condition of a partial index that few rows fulfil, on SQLite.

        PostgreSQL would multiply the shares of both filters, expect too few rows, and sort all of them.
        """
        return self.filter(condition) if connection.vendor == "sqlite" else self

    def visible_to(self, user: Any) -> "RenderQuerySet":
        """All renders for a user with the permission ``view_render``, else the user's own.

        Those without owner are an anonymous user's own.
        """
        if user.has_perm("renders.view_render"):
            return self
        return self.filter(owner=user if user.is_authenticated else None)

    def lock_admission(self) -> None:
        """Let one admission at a time happen, over all processes, until the transaction ends.

        On SQLite the transaction itself is that lock, because it is IMMEDIATE.
        """
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADMISSION_LOCK])

    def save_changes(self, renders: Iterable["Render"]) -> None:
        """Call ``Render.save_changes()`` of many rows with one statement for each set of changed fields."""
        by_fields: dict[frozenset[str], list[Render]] = {}
        for render in renders:
            if render.changed_fields:
                by_fields.setdefault(render.changed_fields, []).append(render)
                render.changed_fields = frozenset()
        for names, rows in by_fields.items():
            self.update_many(rows, names)
