"""Create a render: commit its row, then start it or queue it."""

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from renders.models import Render
from renders.remotion.errors import RemotionError, Throttled, Unavailable
from renders.remotion.payload import may_be_uploaded
from renders.remotion.target import LambdaTarget
from renders.services.admission import has_free_slots, slots_until
from renders.services.dispatch import configuration, queue_again, reject, start_submitted
from renders.services.errors import NoFreeSlots, StartFailed
from renders.services.idempotency import fingerprint, free_expired_key, replayed, with_same_key
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
    priority: int = 0,
    idempotency_key: str = "",
    retry_of: Render | None = None,
    poster_of: Render | None = None,
) -> Created:
    """Commit a row, ask Remotion to render it, and store the answer.

    ``owner`` is a user or None. The row is ``rendering``; a still has ended; it is ``queued`` if no
    slots are free and it ``may_wait``. Without ``start_now`` a row that ``may_wait`` is only queued, and the
    worker starts it. With an ``idempotency_key`` that was used for the same request, it is that row.
    A ``request`` that allows reuse is answered with an earlier render of the same, if there is one.

    Raise, without a row: InvalidOptions or InvalidRequest; SetupError if the settings are incomplete;
    NoFreeSlots, Throttled or Unavailable if it may not wait; KeyReused or KeyInUse. Raise StartFailed with a
    row that is ``submitting`` if the outcome is unknown, and ``failed`` (``rejected``) if nothing was started.
    """
    target = LambdaTarget.from_settings()
    target.require_credentials()
    now = timezone.now()
    render = Render(
        owner=owner,
        **request.row_fields(),
        **configuration(target),
        priority=priority,
        created_at=now,
        queue_rank=now - timedelta(minutes=priority),
        retry_of=retry_of,
        poster_of=poster_of,
        idempotency_key=idempotency_key,
    )
    if may_wait:
        # Else the row may be deleted again, and is answered to no other request before it has its renderId.
        render.reuse_key = reuse_key(render)
    if idempotency_key:
        render.idempotency_fingerprint = fingerprint(request, may_wait=may_wait)
    try:
        twin = _admit_or_reuse(render, target, reuse=request.reuse, may_wait=may_wait, start_now=start_now)
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


def _admit_or_reuse(
    render: Render, target: LambdaTarget, *, reuse: bool, may_wait: bool, start_now: bool
) -> Render | None:
    """Insert the row and return None, or return the earlier render that is answered instead."""
    while True:
        twin = _admit(render, target, reuse=reuse, may_wait=may_wait, start_now=start_now)
        if twin is None or is_usable(twin):
            return twin
        forbid_reuse(twin)


def _admit(render: Render, target: LambdaTarget, *, reuse: bool, may_wait: bool, start_now: bool) -> Render | None:
    """Insert the row as ``submitting`` if slots are free, else as ``queued`` if it may wait.

    With ``reuse``, return the newest render of the same instead, if there is one.
    """
    with transaction.atomic():
        Render.objects.lock_admission()
        if render.idempotency_key:
            free_expired_key(render)
            if reuse and with_same_key(render).exists():
                raise IntegrityError("The key is known.")
        if reuse and (twin := Render.objects.reusable(render.reuse_key).first()):
            return twin
        is_admitted = start_now and has_free_slots(render)
        if not is_admitted and not may_wait:
            _refuse(render)
        render.status = Render.Status.SUBMITTING if is_admitted else Render.Status.QUEUED
        if is_admitted:
            render.submitted_at = timezone.now()
            render.slots_until = slots_until(target, submitted_at=render.submitted_at, kind=render.kind)
        if render.poster_of_id:
            Render.objects.filter(poster_of=render.poster_of_id).update(poster_of=None)  # the one that failed
        render.save(force_insert=True)
    return None


def _refuse(render: Render) -> None:
    if render.idempotency_key and with_same_key(render).exists():
        raise IntegrityError("The key is known.")
    if Render.objects.queued().exists():
        raise NoFreeSlots("Other renders are queued and come first, so nothing was started. Try again later.")
    raise NoFreeSlots(
        f"All {settings.REMOTION_CONCURRENCY} functions are in use, so nothing was started. Try again later."
    )


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
