"""Create a batch: queue all of its renders in one transaction."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from renders.models import Batch, Event, Render, RenderMetadata, RenderText
from renders.remotion.target import LambdaTarget
from renders.services.batches.complete import completed_event
from renders.services.create import new_render
from renders.services.errors import ExternalIdExists, KeyInUse, KeyReused
from renders.services.events.publish import publish_queued
from renders.services.idempotency import IDEMPOTENCY_KEY_TTL, IN_USE
from renders.services.quotas import (
    default_priority,
    quota_of,
    require_budget,
    require_place_in_queue,
    require_priority,
)
from renders.services.render_request import RenderRequest
from renders.services.reuse import forbid_reuse, is_usable, reuse_key

MAX_RENDERS = 500
S3_REQUESTS_AT_ONCE = 16

Result = dict[str, Any]
"""What an item is answered: ``{"status": 202, "id": …}``, or an error with its status."""


@dataclass(frozen=True)
class BatchItem:
    """One render that is asked for: its row, which is not saved yet, and what it was made of."""

    request: RenderRequest
    row: Render


@dataclass(frozen=True)
class CreatedBatch:
    """A batch, and whether it was created before with the same idempotency key."""

    batch: Batch
    is_replayed: bool = False


class ItemsInOrder:
    """The rows of a batch, each a microsecond after the one before, so that they start and are listed in order."""

    def __init__(self, *, owner: Any) -> None:
        """Raise SetupError if the settings are incomplete."""
        self._owner, self._target, self._quota = owner, LambdaTarget.from_settings(), quota_of(owner)
        self._target.require_credentials()
        self._next_at = timezone.now()

    def item(self, request: RenderRequest, *, priority: int | None) -> BatchItem:
        """Return the next item. Raise what ``RenderRequest.row_fields()`` raises, and PriorityTooHigh."""
        if priority is None:
            priority = default_priority(self._quota)
        require_priority(priority, self._quota)
        row = new_render(
            owner=self._owner, request=request, target=self._target, priority=priority, created_at=self._next_at
        )
        row.status, row.reuse_key = Render.Status.QUEUED, reuse_key(row)
        self._next_at += timedelta(microseconds=1)
        return BatchItem(request, row)


def find_replayed(*, owner: Any, idempotency_key: str, idempotency_fingerprint: str) -> Batch | None:
    """Return the batch that the owner created with this key, if it has not expired. Raise KeyReused."""
    batch = Batch.objects.with_key(idempotency_key, owner=owner).first() if idempotency_key else None
    if batch is None or _has_expired(batch):
        return None
    if batch.idempotency_fingerprint != idempotency_fingerprint:
        raise KeyReused("This Idempotency-Key was used for another batch: send a new one, or the same body.")
    return batch


def create_batch(
    *,
    owner: Any,
    items: Sequence[BatchItem | Result],
    idempotency_key: str = "",
    idempotency_fingerprint: str = "",
) -> CreatedBatch:
    """Commit a batch and its renders, all of them ``queued``; the worker starts them.

    ``items`` has for each item of the request, in order, what is queued, or the error that it is answered. An item
    that allows reuse is answered with an earlier render of the same, also one of this batch; it does not become part
    of the batch. Raise KeyReused or KeyInUse; CostQuotaExceeded or TooManyWaiting if the renders that are new are
    too many or too dear, all together: then none is queued.
    """
    _forbid_reuse_of_lost_outputs([item for item in items if isinstance(item, BatchItem)])
    key = {"idempotency_key": idempotency_key, "idempotency_fingerprint": idempotency_fingerprint}
    if batch := find_replayed(owner=owner, **key):
        return CreatedBatch(batch, is_replayed=True)
    batch = Batch(owner=owner, **key)
    try:
        _commit(batch, items)
    except IntegrityError:
        if not idempotency_key:
            raise
        # The unique constraint decides which of two requests with one key was first.
        first = find_replayed(owner=owner, **key)
        if first is None:
            raise KeyInUse(IN_USE) from None
        return CreatedBatch(first, is_replayed=True)
    return CreatedBatch(batch)


def _commit(batch: Batch, items: Sequence[BatchItem | Result]) -> None:
    with transaction.atomic():
        Render.objects.lock_admission()
        _free_expired_key(batch)
        _require_new_key(batch)
        rows = _decide(batch, items)
        if rows:
            quota = quota_of(batch.owner)
            require_place_in_queue(batch.owner, quota, count=len(rows))
            require_budget(batch.owner, quota, rows)
        else:
            batch.completed_at = timezone.now()
        batch.save(force_insert=True)
        Render.objects.bulk_create(rows)
        RenderMetadata.objects.store(rows)
        RenderText.objects.store(rows)
        if rows:
            publish_queued(rows)
        else:
            Event.objects.lock_publishing()
            completed_event(batch).save()


def _decide(batch: Batch, items: Sequence[BatchItem | Result]) -> list[Render]:
    """Set the batch's results, and return the rows to insert. Call it under the admission lock."""
    asked = [item for item in items if isinstance(item, BatchItem)]
    twins, named = _twins(asked), _with_external_ids(asked, owner=batch.owner)
    rows = []
    for item in items:
        if not isinstance(item, BatchItem):
            batch.results.append(item)
            continue
        row, request = item.row, item.request
        if request.unique_external_id and (known := named.get(row.external_id)):
            batch.results.append(_refused(known))
        elif request.reuse and (twin := twins.get(row.reuse_key)):
            batch.results.append(_reused(twin))
        else:
            row.batch = batch
            rows.append(row)
            batch.results.append({"status": 202, "id": str(row.pk)})
            twins.setdefault(row.reuse_key, row)
            named.setdefault(row.external_id, row)
    return rows


def _reused(twin: Render) -> Result:
    is_pending = twin.status in (Render.Status.QUEUED, Render.Status.SUBMITTING)
    return {"status": 202 if is_pending else 200, "id": str(twin.pk), "reused": True}


def _refused(known: Render) -> Result:
    error = ExternalIdExists(known.pk)
    return {"status": 409, "error": str(error), "code": "external_id_exists", "id": str(known.pk)}


def _twins(items: Sequence[BatchItem]) -> dict[str, Render]:
    """Return the newest earlier render for each key of the items that allow reuse."""
    keys = {item.row.reuse_key for item in items if item.request.reuse}
    found = Render.objects.reusable(*keys) if keys else []
    return _first_by("reuse_key", found)


def _with_external_ids(items: Sequence[BatchItem], *, owner: Any) -> dict[str, Render]:
    """Return the newest earlier render for each external id that shall be unique."""
    names = {item.row.external_id for item in items if item.request.unique_external_id}
    found = Render.objects.with_external_id(*names, owner=owner).only("pk", "external_id") if names else []
    return _first_by("external_id", found)


def _first_by(name: str, renders: Any) -> dict[str, Render]:
    first: dict[str, Render] = {}
    for render in renders:
        first.setdefault(getattr(render, name), render)
    return first


def _forbid_reuse_of_lost_outputs(items: Sequence[BatchItem]) -> None:
    """Ask S3 whether the outputs that would be answered still exist, before any lock is taken."""
    while twins := list(_twins(items).values()):
        with ThreadPoolExecutor(S3_REQUESTS_AT_ONCE) as threads:
            lost = [twin for twin, usable in zip(twins, threads.map(is_usable, twins), strict=True) if not usable]
        if not lost:
            return
        for twin in lost:
            forbid_reuse(twin)


def _free_expired_key(batch: Batch) -> None:
    known = Batch.objects.with_key(batch.idempotency_key, owner=batch.owner).first() if batch.idempotency_key else None
    if known and _has_expired(known):
        Batch.objects.filter(pk=known.pk).update(idempotency_key="", idempotency_fingerprint="")


def _require_new_key(batch: Batch) -> None:
    """Raise IntegrityError if the key is known: what was queued with it must not be refused by a quota now."""
    if batch.idempotency_key and Batch.objects.with_key(batch.idempotency_key, owner=batch.owner).exists():
        raise IntegrityError("The key is known.")


def _has_expired(batch: Batch) -> bool:
    is_old = batch.created_at < timezone.now() - IDEMPOTENCY_KEY_TTL
    return is_old and batch.completed_at is not None
