"""Claiming rows to refresh.

Claiming a row leases it for 60 s by moving ``next_refresh_at``: no other process claims it
meanwhile, and what a killed process had claimed is due again when the lease ends.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Case, F, Q, When
from django.db.models.functions import Least
from django.utils import timezone

from renders.models import RefreshState, Render
from renders.services.refresh.schedule import MIN_INTERVAL, WATCHED_FOR

LEASE = timedelta(seconds=60)
BATCH_SIZE = 300

FIELDS = (
    "kind",
    "status",
    "failure_reason",
    "render_id",
    "region",
    "bucket_name",
    "function_name",
    "function_timeout",
    "error",
    "progress",
    "frames_rendered",
    "extension",
    "duration_in_frames",
    "width",
    "poster_request",
    "submitted_at",
    "finished_at",
    "deadline_at",
    "cancel_requested_at",
    "cancel_sent_at",
)
"""What a refresh needs of a row: loading whole rows costs more than reading S3 (measured)."""


def claim_due(skipped_buckets: list[str]) -> list[Render]:
    """Claim due rows of one bucket, those that are due longest first; empty if none is due."""
    now = timezone.now()
    due = RefreshState.objects.due(now).order_by("next_refresh_at")
    place = due.exclude(bucket_name__in=skipped_buckets).values("region", "bucket_name").first()
    if place is None:
        return []
    return _leased(due.filter(**place).claim(at=now, until=now + LEASE, limit=BATCH_SIZE))


def seconds_until_due(skipped_buckets: list[str]) -> float | None:
    """Return in how many seconds the next row is due, below 0 if one is due already; None if there is none."""
    states = RefreshState.objects.exclude(bucket_name__in=["", *skipped_buckets]).order_by("next_refresh_at")
    next_refresh_at = states.values_list("next_refresh_at", flat=True).first()
    return (next_refresh_at - timezone.now()).total_seconds() if next_refresh_at else None


def claim_now(renders: list[Render]) -> list[Render]:
    """Claim these rows, due or not, also those that have no schedule any more; return them as they are now."""
    now = timezone.now()
    ids = [render.pk for render in renders]
    lease = {"asked_at": now, "next_refresh_at": now + LEASE}
    states = RefreshState.objects.filter(pk__in=ids)
    with transaction.atomic():
        # In the order in which every process locks them, or two could wait for each other.
        locked = len(states.select_for_update().order_by("pk").values_list("pk"))
        states.update(**lease)
    if locked < len(ids):
        RefreshState.objects.upsert(Render.objects.filter(pk__in=ids, refresh_state=None), **lease)
    return _leased(states)


def _leased(states: Iterable[RefreshState]) -> list[Render]:
    """Return the renders of these states, read after the claim: whatever changed them before is seen."""
    state_of = {state.pk: state for state in states}
    renders = list(Render.objects.filter(pk__in=state_of).only(*FIELDS))
    for render in renders:
        render.refresh_state = state_of[render.pk]
    return renders


def claim_for_watcher(render: Render) -> bool:
    """Claim the row for a client that asks for its progress; False if the row is answered as it is.

    However many clients ask, S3 is asked once a second at most, and not while somebody else waits
    for its answer. Either way the row counts as watched, so that the worker refreshes it sooner.
    """
    now = timezone.now()
    state = RefreshState.objects.filter(pk=render.pk)
    is_answered = Q(answered_at__gte=F("asked_at"))
    is_free = Q(asked_at__isnull=True) | Q(asked_at__lte=now - MIN_INTERVAL) & (
        is_answered | Q(next_refresh_at__lte=now)
    )
    if state.filter(is_free).update(asked_at=now, next_refresh_at=now + LEASE, watched_at=now):
        return True
    state.filter(_is_newly_watched(now)).update(**_watched(now))
    return False


def mark_watched(render_ids: Iterable[UUID]) -> None:
    """Let the worker refresh those of these rows that render each second, for ``WATCHED_FOR``.

    Rows that were marked within the first half of it, and on PostgreSQL those that are locked, stay as they are.
    """
    now = timezone.now()
    rendering = Render.objects.with_status(Render.Status.RENDERING).order_by().values("pk")
    states = RefreshState.objects.filter(_is_newly_watched(now), pk__in=rendering.filter(pk__in=render_ids))
    with transaction.atomic():
        states.skip_locked().update(**_watched(now))


def _is_newly_watched(now: datetime) -> Q:
    return Q(watched_at__isnull=True) | Q(watched_at__lte=now - WATCHED_FOR / 2)


def _watched(now: datetime) -> dict[str, Any]:
    sooner = Least(F("next_refresh_at"), now + MIN_INTERVAL)
    is_answered = Q(answered_at__gte=F("asked_at"))
    return {"watched_at": now, "next_refresh_at": Case(When(is_answered, then=sooner), default=F("next_refresh_at"))}
