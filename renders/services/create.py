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
from renders.remotion.options import CODEC, FRAMES_PER_LAMBDA, RenderOptions, slots_needed
from renders.remotion.payload import may_be_uploaded
from renders.remotion.target import LambdaTarget
from renders.services.admission import has_free_slots, slots_until
from renders.services.dispatch import configuration, queue_again, reject, start_submitted
from renders.services.errors import NoFreeSlots, StartFailed
from renders.services.idempotency import fingerprint, free_expired_key, replayed, with_same_key
from renders.services.retention import delete_input_props

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Created:
    """A render, and whether it already existed under its idempotency key."""

    render: Render
    is_replayed: bool = False


def create_render(
    *,
    owner: Any,
    input_props: dict[str, Any],
    may_wait: bool,
    start_now: bool = True,
    priority: int = 0,
    idempotency_key: str = "",
    retry_of: Render | None = None,
) -> Created:
    """Commit a row, ask Remotion to render ``input_props``, and store the answer.

    ``owner`` is a user or None. The row is ``rendering``, or ``queued`` if no slots are free and
    it ``may_wait``. Without ``start_now`` a row that ``may_wait`` is only queued, and the worker starts
    it. With an ``idempotency_key`` that was used for the same request, it is that row.

    Raise, without a row: SetupError if the settings are incomplete; NoFreeSlots, Throttled or
    Unavailable if it may not wait; KeyReused or KeyInUse. Raise StartFailed with a row that is ``submitting``
    if the outcome is unknown, and ``failed`` (``rejected``) if nothing was started.
    """
    target, options = LambdaTarget.from_settings(), RenderOptions.from_settings()
    target.require_credentials()
    options.require_site()
    now = timezone.now()
    render = Render(
        owner=owner,
        input_props=input_props,
        **configuration(target, options),
        frames_per_lambda=FRAMES_PER_LAMBDA,
        codec=CODEC,
        slots_needed=slots_needed(input_props["durationInFrames"]),
        priority=priority,
        created_at=now,
        queue_rank=now - timedelta(minutes=priority),
        retry_of=retry_of,
        idempotency_key=idempotency_key,
    )
    if idempotency_key:
        render.idempotency_fingerprint = fingerprint(input_props=input_props, priority=priority, may_wait=may_wait)
    try:
        _admit(render, target, may_wait=may_wait, start_now=start_now)
    except IntegrityError:
        if not idempotency_key:
            raise
        # The unique constraint decides which of two requests with one key was first.
        return Created(replayed(render), is_replayed=True)
    if render.status == Render.Status.QUEUED:
        return Created(render)
    return Created(_start(render, target, options, may_wait=may_wait))


def _admit(render: Render, target: LambdaTarget, *, may_wait: bool, start_now: bool) -> None:
    """Insert the row as ``submitting`` if slots are free, else as ``queued`` if it may wait."""
    with transaction.atomic():
        Render.objects.lock_admission()
        if render.idempotency_key:
            free_expired_key(render)
        is_admitted = start_now and has_free_slots(render)
        if not is_admitted and not may_wait:
            _refuse(render)
        render.status = Render.Status.SUBMITTING if is_admitted else Render.Status.QUEUED
        if is_admitted:
            render.submitted_at = timezone.now()
            render.slots_until = slots_until(target, submitted_at=render.submitted_at)
        render.save(force_insert=True)


def _refuse(render: Render) -> None:
    if render.idempotency_key and with_same_key(render).exists():
        raise IntegrityError("The key is known.")
    if Render.objects.queued().exists():
        raise NoFreeSlots("Other renders are queued and come first, so nothing was started. Try again later.")
    raise NoFreeSlots(
        f"All {settings.REMOTION_CONCURRENCY} functions are in use, so nothing was started. Try again later."
    )


def _start(render: Render, target: LambdaTarget, options: RenderOptions, *, may_wait: bool) -> Render:
    try:
        return start_submitted(render, target, options)
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
