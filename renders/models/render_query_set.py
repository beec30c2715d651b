"""The queries that find renders, each by the index that it needs."""

import contextlib
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection
from django.db.models import DurationField, ExpressionWrapper, OuterRef, Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce

from renders.models.bulk_update import BulkUpdateQuerySet

if TYPE_CHECKING:
    from renders.models.render import Render

ADMISSION_LOCK = 0x52454E44
"""Key of PostgreSQL's advisory lock: "REND" in ASCII; no other advisory lock of ours exists."""

# Conditions of partial indexes. A query states the condition of the index that it needs: SQLite never concludes it
# from the other filters, and PostgreSQL does not from a list of more than 100 values.
HAS_RENDER_ID = Q(render_id__gt="")
# Not `> ""`: SQLite would take that as the beginning of the range to search, instead of the prefix.
HAS_SOME_RENDER_ID = ~Q(render_id="")
HAS_IDEMPOTENCY_KEY = Q(idempotency_key__gt="")
HAS_REUSE_KEY = Q(reuse_key__gt="")
# Not `> ""`: SQLite would take that as the range to search, instead of the one external id.
HAS_EXTERNAL_ID = ~Q(external_id="")
HAS_FAILURE_REASON = Q(failure_reason__gt="")
HAS_NOT_SUCCEEDED = ~Q(status="succeeded")
NOT_ENDED = Q(finished_at__isnull=True)

OWNER_QUEUED = ("owner_id", "queue_rank", "id")
"""Columns of the index ``render_owner_queued``."""

FIRST_QUEUED = """
WITH RECURSIVE owners (owner_id) AS (
    SELECT min(owner_id) FROM renders_render WHERE status = 'queued'
    UNION ALL
    SELECT (SELECT min(owner_id) FROM renders_render WHERE status = 'queued' AND owner_id > owners.owner_id)
    FROM owners WHERE owners.owner_id IS NOT NULL
)
SELECT (
    SELECT id FROM renders_render WHERE status = 'queued' AND owner_id = owners.owner_id
    ORDER BY queue_rank, id LIMIT 1
) FROM owners WHERE owners.owner_id IS NOT NULL
UNION ALL
SELECT (
    SELECT id FROM renders_render WHERE status = 'queued' AND owner_id IS NULL
    ORDER BY owner_id, queue_rank, id LIMIT 1
)
"""
"""Ids of the first queued render of each owner: one step in the index ``render_owner_queued`` finds the next owner,
and one that owner's first render, so that it costs as much as there are owners, and not renders. PostgreSQL sorts
those without owner unless their order begins with the owner."""


LONG_WAIT = timedelta(minutes=10)
"""After it, a queued render needs attention."""


def _unmoved() -> ExpressionWrapper:
    """How long the progress of a render had not moved when it was last read."""
    read_at = Coalesce("refresh_state__answered_at", "refreshed_at")
    return ExpressionWrapper(read_at - Coalesce("progressed_at", "submitted_at"), DurationField())


def _stalled_after() -> timedelta:
    return timedelta(seconds=settings.REMOTION_STALL_SECONDS)


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

    def not_ended(self) -> "RenderQuerySet":
        """The same, by the index of those: in the order of lists, without sorting the three statuses."""
        return self.filter(NOT_ENDED)

    def submitted(self) -> "RenderQuerySet":
        """Active renders that AWS has been asked to start."""
        return self.with_status(self.model.Status.SUBMITTING, self.model.Status.RENDERING)

    def queued(self) -> "RenderQuerySet":
        """Queued renders in the order in which they start."""
        return self.filter(status=self.model.Status.QUEUED).order_by("queue_rank", "id")

    def queued_with_owner(self, owner_ids: Iterable[int]) -> "RenderQuerySet":
        """Queued renders of these owners, in any order."""
        queued = self.queued().filter(owner__in=list(owner_ids))
        # In the order of its index, SQLite chooses that one; PostgreSQL would sort.
        return queued.order_by(*(OWNER_QUEUED if connection.vendor == "sqlite" else ()))

    def queued_without_owner(self) -> "RenderQuerySet":
        """Queued renders without owner, in the order of their index, so that PostgreSQL need not sort them."""
        return self.queued().filter(owner=None).order_by(*OWNER_QUEUED)

    def first_queued_of_each_owner(self) -> "RenderQuerySet":
        """The queued render of each owner that comes first, without its content; none if it is queued no more."""
        fields = ("owner_id", "slots_needed", "priority", "queue_rank", "created_at", "dispatch_after")
        return self.filter(pk__in=RawSQL(FIRST_QUEUED, [])).order_by().only(*fields)  # noqa: S611

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

    def with_external_id(self, *external_ids: str, owner: Any) -> "RenderQuerySet":
        """Renders that ``owner`` (a user or None) has named so, the newest first."""
        return self.named(*external_ids).filter(owner=owner).order_by("-created_at", "-id")

    def named(self, *external_ids: str) -> "RenderQuerySet":
        """Renders with one of these external ids, of any owner."""
        return self.filter(external_id__in=external_ids)._stating(HAS_EXTERNAL_ID)

    def reusable(self, *reuse_keys: str) -> "RenderQuerySet":
        """Renders with one of these keys that are under way or have succeeded, the newest first."""
        status = self.model.Status
        statuses = (status.QUEUED, status.SUBMITTING, status.RENDERING, status.SUCCEEDED)
        renders = self.filter(HAS_REUSE_KEY, reuse_key__in=reuse_keys, status__in=statuses, cancel_requested_at=None)
        return renders.order_by("-created_at", "-id")

    def with_render_id(self, *render_ids: str) -> "RenderQuerySet":
        """Renders with one of these renderIds of Remotion's; each is unique in its bucket."""
        return self.filter(HAS_RENDER_ID, render_id__in=render_ids)

    def finished(self) -> "RenderQuerySet":
        """Renders that have ended."""
        return self.filter(finished_at__isnull=False)

    def of_template(self, template: Any) -> "RenderQuerySet":
        """Renders of this template."""
        return self.filter(template=template)._stating(Q(template__isnull=False))

    def with_poster_of(self, render_ids: Iterable[uuid.UUID]) -> "RenderQuerySet":
        """The posters of these renders."""
        return self.filter(poster_of__in=list(render_ids))._stating(Q(poster_of__isnull=False)).order_by()

    def of_batch(self, batch_id: uuid.UUID | OuterRef) -> "RenderQuerySet":
        """Renders that were asked for in this batch: 500 at most."""
        return self.filter(batch=batch_id)._stating(Q(batch__isnull=False))

    def stalled(self) -> "RenderQuerySet":
        """Renders that are rendering, and whose progress has not moved: the query for ``Render.is_stalled``."""
        renders = self.with_status(self.model.Status.RENDERING)
        return renders.alias(unmoved=_unmoved()).filter(unmoved__gt=_stalled_after())

    def needing_attention(self, at: datetime) -> "RenderQuerySet":
        """Active renders that are stalled at ``at``, unconfirmed without an answer to come, or queued for long."""
        status = self.model.Status
        last_answer = at - timedelta(seconds=settings.REMOTION_START_TIMEOUT)
        is_stalled = Q(status=status.RENDERING, unmoved__gt=_stalled_after())
        is_unconfirmed = Q(status=status.SUBMITTING) & (~Q(error="") | Q(submitted_at__lt=last_answer))
        waits_long = Q(status=status.QUEUED, created_at__lt=at - LONG_WAIT)
        return self.not_ended().alias(unmoved=_unmoved()).filter(is_stalled | is_unconfirmed | waits_long)

    def with_id_prefix(self, prefix: str) -> "RenderQuerySet":
        """Renders whose id begins with these hexadecimal digits, with or without hyphens; 32 at most."""
        digits = prefix.replace("-", "")
        return self.filter(pk__range=(uuid.UUID(digits.ljust(32, "0")), uuid.UUID(digits.ljust(32, "f"))))

    def with_render_id_prefix(self, prefix: str) -> "RenderQuerySet":
        """Renders whose renderId begins so."""
        renders = self.filter(HAS_SOME_RENDER_ID)
        if connection.vendor == "sqlite":  # which uses an index for ranges, but not for LIKE
            return renders.filter(render_id__gte=prefix, render_id__lt=prefix + chr(0x10FFFF))
        return renders.filter(render_id__startswith=prefix)

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

    def lock(self) -> "RenderQuerySet":
        """Lock these rows to change them.

        The weaker lock: rows that refer to them, retries and events for example, may be inserted meanwhile. PostgreSQL
        looks for what a row refers to when it is committed, after the lock of publishing was taken: where it waited for
        one who has locked that row and wants to publish, each would wait for the other.
        """
        return self.select_for_update(no_key=True)

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
                render.forget_changes()
        for names, rows in by_fields.items():
            self.update_many(rows, names)
