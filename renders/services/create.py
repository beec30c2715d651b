"""Create a render: commit its row, then start it or queue it."""

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from renders.models import Quota, Render, RenderMetadata, RenderText
from renders.remotion.errors import RemotionError, Throttled, Unavailable
from renders.remotion.payload import may_be_uploaded
from renders.remotion.target import LambdaTarget
from renders.services.admission import has_free_slots, slots_until
from renders.services.dispatch import configuration, queue_again, reject, start_submitted
from renders.services.errors import ExternalIdExists, NoFreeSlots, Refused, StartFailed
from renders.services.events.publish import publish_queued
from renders.services.fingerprint import fingerprint
from renders.services.idempotency import free_expired_key, replayed, with_same_key
from renders.services.quotas import (
    default_priority,
    quota_of,
    require_budget,
    require_place_in_queue,
    require_priority,
)
from renders.services.render_request import RenderRequest
from renders.services.retention import delete_input_props
from renders.services.reuse import forbid_reuse, is_usable, reuse_key

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Created:
    """A render, and how it already existed, if so."""

    render: Render
    is_replayed: bool = False
    """Created before with the same idempotency key."""
    is_reused: bool = False
    """An earlier render with the same output."""


def create_render(
    *,
    owner: Any,
    request: RenderRequest,
    may_wait: bool,
    start_now: bool = True,
    priority: int | None = None,
    idempotency_key: str = "",
    retry_of: Render | None = None,
    poster_of: Render | None = None,
) -> Created:
    """Commit a row, ask Remotion to render it, and store the answer.

    ``owner`` is a user or None. The row is ``rendering``; a still has ended; it is ``queued`` if no
    slots are free and it ``may_wait``. Without ``start_now`` a row that ``may_wait`` is only queued, and the
    worker starts it. With an ``idempotency_key`` that was used for the same request, it is that row.
    A ``request`` that allows reuse is answered with an earlier render of the same, if there is one. Without a
    ``priority`` it is 0, or the owner's highest if that is less.

    Raise, without a row: InvalidOptions or InvalidRequest; SetupError if the settings are incomplete;
    PriorityTooHigh, CostQuotaExceeded or TooManyWaiting by the owner's quota; NoFreeSlots, Throttled or Unavailable
    if it may not wait; ExternalIdExists, KeyReused or KeyInUse. Raise StartFailed with a row that is ``submitting``
    if the outcome is unknown, and ``failed`` (``rejected``) if nothing was started.
    """
    target = LambdaTarget.from_settings()
    target.require_credentials()
    quota = quota_of(owner)
    if priority is None:
        priority = default_priority(quota)
    render = new_render(owner=owner, request=request, target=target, priority=priority)
    render.retry_of, render.poster_of, render.idempotency_key = retry_of, poster_of, idempotency_key
    if may_wait:
        # Else the row may be deleted again, and is answered to no other request before it has its renderId.
        render.reuse_key = reuse_key(render)
    if idempotency_key:
        render.idempotency_fingerprint = fingerprint(request.sent, may_wait)
    try:
        twin = _admit_or_reuse(render, target, quota, request=request, may_wait=may_wait, start_now=start_now)
    except IntegrityError:
        if not idempotency_key:
            raise
        # The unique constraint decides which of two requests with one key was first.
        return Created(replayed(render), is_replayed=True)
    if twin:
        return Created(twin, is_reused=True)
    if render.status == Render.Status.QUEUED:
        return Created(render)
    return Created(_start(render, target, may_wait=may_wait))


def new_render(
    *, owner: Any, request: RenderRequest, target: LambdaTarget, priority: int, created_at: datetime | None = None
) -> Render:
    """Return the row of a request, not saved. Raise InvalidOptions, InvalidRequest, SetupError."""
    created_at = created_at or timezone.now()
    return Render(
        owner=owner,
        **request.row_fields(),
        **configuration(target),
        priority=priority,
        created_at=created_at,
        queue_rank=created_at - timedelta(minutes=priority),
    )


def _admit_or_reuse(
    render: Render,
    target: LambdaTarget,
    quota: Quota | None,
    *,
    request: RenderRequest,
    may_wait: bool,
    start_now: bool,
) -> Render | None:
    """Insert the row and return None, or return the earlier render that is answered instead."""
    while True:
        twin = _admit(render, target, quota, request=request, may_wait=may_wait, start_now=start_now)
        if twin is None or is_usable(twin):
            return twin
        forbid_reuse(twin)


def _admit(
    render: Render,
    target: LambdaTarget,
    quota: Quota | None,
    *,
    request: RenderRequest,
    may_wait: bool,
    start_now: bool,
) -> Render | None:
    """Insert the row as ``submitting`` if slots are free, else as ``queued`` if it may wait.

    If the request allows reuse, return the newest render of the same instead, if there is one. Raise ExternalIdExists.
    """
    with transaction.atomic():
        Render.objects.lock_admission()
        if render.idempotency_key:
            free_expired_key(render)
            if (request.reuse or request.unique_external_id) and with_same_key(render).exists():
                raise IntegrityError("The key is known.")
        if request.unique_external_id:
            require_new_external_id(render)
        if request.reuse and (twin := Render.objects.reusable(render.reuse_key).first()):
            return twin
        is_admitted = start_now and has_free_slots(render)
        _require_allowed(render, quota, is_admitted=is_admitted, may_wait=may_wait)
        render.status = Render.Status.SUBMITTING if is_admitted else Render.Status.QUEUED
        if is_admitted:
            render.submitted_at = timezone.now()
            render.slots_until = slots_until(target, submitted_at=render.submitted_at, kind=render.kind)
        if render.poster_of_id:
            Render.objects.filter(poster_of=render.poster_of_id).update(poster_of=None)  # the one that failed
        render.save(force_insert=True)
        RenderMetadata.objects.store([render])
        RenderText.objects.store([render])
        publish_queued([render])
    return None


def require_new_external_id(render: Render) -> None:
    """Raise ExternalIdExists if the owner has a render with the external id of this new one."""
    known = Render.objects.with_external_id(render.external_id, owner=render.owner)
    if (render_id := known.values_list("pk", flat=True).first()) is not None:
        raise ExternalIdExists(render_id)


def _require_allowed(render: Render, quota: Quota | None, *, is_admitted: bool, may_wait: bool) -> None:
    """Raise what refuses a new render now; IntegrityError instead if its idempotency key is known."""
    try:
        require_priority(render.priority, quota)
        require_budget(render.owner, quota, [render])
        if not is_admitted and not may_wait:
            raise NoFreeSlots(f"{_why_not_now(quota)}, so nothing was started. Try again later.")
        if not is_admitted:
            require_place_in_queue(render.owner, quota)
    except Refused:
        if render.idempotency_key and with_same_key(render).exists():
            raise IntegrityError("The key is known.") from None
        raise


def _why_not_now(quota: Quota | None) -> str:
    if Render.objects.queued().exists():
        return "Other renders are queued and come first"
    own = f" or all {quota.max_functions:,} that you may use" if quota and quota.max_functions is not None else ""
    return f"All {settings.REMOTION_CONCURRENCY:,} functions{own} are in use"


def _start(render: Render, target: LambdaTarget, *, may_wait: bool) -> Render:
    try:
        return start_submitted(render, target)
    except (Throttled, Unavailable) as err:
        if may_wait:
            return queue_again(render, err)
        # Nothing ran, and the caller cannot wait: as if it had never been asked for.
        Render.objects.filter(pk=render.pk, status=Render.Status.SUBMITTING).delete()
        if may_be_uploaded(render.input_props):
            with suppress(RemotionError):
                delete_input_props(render)
        raise
    except RemotionError as err:
        logger.warning("Render %s was not started: %s", render.id, err, extra=render.log_fields)
        raise StartFailed(reject(render, err), err) from err
