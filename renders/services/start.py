"""Creating renders and starting them: once each, and never more at a time than AWS has room for."""

import hashlib
import json
import logging
import math
import random
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, Q, Sum
from django.utils import timezone

from renders.models import Render, RenderQuerySet
from renders.remotion import client
from renders.remotion.config import CODEC, FRAMES_PER_LAMBDA, RemotionConfig
from renders.remotion.errors import OutcomeUnknown, PropsNotStored, Rejected, RemotionError, Throttled, Unavailable
from renders.services.rows import change, configuration_of, take_start

logger = logging.getLogger(__name__)

ADMISSION_LOCK = 0x52454E44  # "REND": any number that no other advisory lock uses
LONGEST_BACKOFF = timedelta(minutes=2)
IN_CALL_MARGIN = timedelta(seconds=30)
"""How much longer than the start's time limit a call may take until its row says how it went."""

LONGEST_PREPARATION = timedelta(seconds=60)
"""A start that is not called by then after its row was committed is not called: it may be lost by now."""

TRIES_TO_STORE_PROPS = 5

IN_USE = "The first request with this Idempotency-Key is still being answered: try again in a moment."


class StartFailed(Exception):
    """Remotion did not say that the render started. The row is kept; ``__cause__`` says why."""

    def __init__(self, render: Render, cause: RemotionError) -> None:
        super().__init__(str(cause))
        self.render = render


class NoRoom(Exception):
    """All functions that may run are in use, so nothing was started and no row is kept."""


class KeyConflict(Exception):
    """The idempotency key has been used for something else, or is in use at this moment."""

    def __init__(self, message: str, *, is_in_use: bool) -> None:
        super().__init__(message)
        self.is_in_use = is_in_use


@dataclass(frozen=True)
class Created:
    """A render, and whether it was there already under its idempotency key."""

    render: Render
    is_replayed: bool = False


def create_render(
    *,
    owner: Any,
    input_props: dict[str, Any],
    may_wait: bool,
    priority: int = 0,
    idempotency_key: str = "",
    retry_of: Render | None = None,
) -> Created:
    """Commits a row, asks Remotion to render ``input_props``, and records what it said.

    ``owner`` is a user or None. The row is ``rendering``, or ``queued`` if there is no room now
    and it ``may_wait``; with an ``idempotency_key`` that was used for the same, it is that row.

    Raises, without a row, SetupError where the settings do not suffice, and NoRoom, Throttled or
    Unavailable where it may not wait; KeyConflict; StartFailed, whose row is ``submitting`` where
    the outcome is unknown and ``failed`` (``rejected``) where nothing was started.
    """
    config = RemotionConfig.from_settings()
    config.require_credentials()
    config.require_site()
    now = timezone.now()
    duration = input_props["durationInFrames"]
    render = Render(
        owner=owner,
        input_props=input_props,
        **configuration_of(config),
        frames_per_lambda=FRAMES_PER_LAMBDA,
        codec=CODEC,
        functions=functions_of(duration),
        priority=priority,
        created_at=now,
        queue_rank=now - timedelta(minutes=priority),
        retry_of=retry_of,
        idempotency_key=idempotency_key,
        idempotency_fingerprint=_fingerprint(input_props, priority, may_wait) if idempotency_key else "",
    )
    try:
        _admit(render, may_wait=may_wait)
    except IntegrityError:
        if not idempotency_key:
            raise
        # The constraint decides which of two requests with one key was first.
        return Created(_replayed(render), is_replayed=True)
    if render.status == Render.Status.QUEUED:
        return Created(render)
    try:
        return Created(_start(render, config))
    except (Throttled, Unavailable) as err:
        if may_wait:
            return Created(_wait_again(render, err))
        # Nothing ran and the caller cannot wait: as if it had not been asked for.
        Render.objects.filter(pk=render.pk, status=Render.Status.SUBMITTING).delete()
        raise
    except RemotionError as err:
        logger.warning("Render %s was not started: %s", render.id, err)
        raise StartFailed(change(render.pk, partial(_reject, err=err)), err) from err


def functions_of(duration_in_frames: int) -> int:
    """What a render weighs: one function for each sixty frames, and the one that leads them."""
    return math.ceil(duration_in_frames / FRAMES_PER_LAMBDA) + 1


def dispatch_next() -> Render | None:
    """Starts the next render that waits, if there is room for it, and returns it.

    Whatever becomes of the start is recorded on the row and not raised. Where nothing ran, and
    the render itself is not to blame, it goes on waiting.
    """
    config = RemotionConfig.from_settings()
    with transaction.atomic():
        render = _claim_next(config)
    if render is None:
        return None
    try:
        return _start(render, config)
    except StartFailed as err:
        return err.render
    except RemotionError as err:
        is_its_own = isinstance(err, PropsNotStored) and render.throttled_count >= TRIES_TO_STORE_PROPS
        if isinstance(err, Rejected) or is_its_own:
            return change(render.pk, partial(_reject, err=err))
        return _wait_again(render, err)


def _claim_next(config: RemotionConfig) -> Render | None:
    _lock_admission()
    render = Render.objects.waiting().select_for_update().first()
    # The first in line is waited for: others that pass it would let it starve.
    if render is None or (render.dispatch_after and render.dispatch_after > timezone.now()):
        return None
    used = _functions(Render.objects.occupying())
    # One that needs more than the limit must still be possible: alone.
    if used and render.functions > settings.REMOTION_CONCURRENCY - used:
        return None
    render.mark_submitting(at=timezone.now(), configuration=configuration_of(config))
    render.save_changes()
    return render


def _admit(render: Render, *, may_wait: bool) -> None:
    """Saves the row as ``submitting`` if there is room, else as ``queued`` if it may wait."""
    with transaction.atomic():
        _lock_admission()
        has_room = _has_room(render)
        if not has_room and not may_wait:
            _replay_or_refuse(render)
        render.status = Render.Status.SUBMITTING if has_room else Render.Status.QUEUED
        render.submitted_at = timezone.now() if has_room else None
        render.save(force_insert=True)


def _replay_or_refuse(render: Render) -> None:
    if render.idempotency_key and _same_key(render).exists():
        raise IntegrityError("The key is known.")
    raise NoRoom(f"All {settings.REMOTION_CONCURRENCY} functions are in use, so nothing was started. Try again later.")


def _lock_admission() -> None:
    """One admission at a time, over all processes, until the transaction ends.

    On SQLite the transaction itself is that lock, since it is IMMEDIATE.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADMISSION_LOCK])


def _has_room(render: Render) -> bool:
    """Whether a new render may start now. Who waits comes first: only what is left is free."""
    is_refused = Q(status=Render.Status.QUEUED, dispatch_after__gt=timezone.now())
    active = Render.objects.active().aggregate(taken=Sum("functions"), refused=Count("pk", filter=is_refused))
    if active["refused"]:
        return False  # AWS has just said that it has no room
    taken = active["taken"] or 0
    return not taken or render.functions <= settings.REMOTION_CONCURRENCY - taken


def _functions(renders: RenderQuerySet) -> int:
    return renders.aggregate(total=Sum("functions"))["total"] or 0


def _start(render: Render, config: RemotionConfig) -> Render:
    """Makes the one call for a row that is committed as ``submitting``, and records its start.

    Raises StartFailed where the outcome is unknown, with the doubt recorded, and the other errors
    of ``client.start`` where nothing ran.
    """
    payload = client.prepare(
        config, input_props=render.input_props, out_name=render.out_name, custom_data={"id": str(render.id)}
    )
    if render.submitted_at and timezone.now() - render.submitted_at > LONGEST_PREPARATION:
        raise Unavailable("Preparing the start took too long, so nothing was started. Try again.")
    try:
        started = client.start(config, payload)
    except OutcomeUnknown as err:
        logger.warning("Render %s: %s", render.id, err)
        render = change(render.pk, partial(Render.record_doubt, error=str(err)))
        if render.render_id:
            return render  # a webhook has told meanwhile
        raise StartFailed(render, err) from err
    # Said before it is saved: whatever happens to the database, the renderId is not lost.
    logger.info("Render %s is %s in %s", render.id, started.render_id, started.bucket_name)
    return change(render.pk, partial(take_start, started=started))


def _wait_again(render: Render, err: RemotionError) -> Render:
    """Back into the queue, for a while that doubles each time and differs for each render."""
    longest = min(LONGEST_BACKOFF, timedelta(seconds=2 ** min(render.throttled_count, 10)))
    wait = longest * random.uniform(0.5, 1)  # noqa: S311
    again = partial(Render.mark_queued_again, error=str(err), dispatch_after=timezone.now() + wait)
    return change(render.pk, again)


def _reject(render: Render, *, err: RemotionError) -> None:
    render.mark_failed(Render.FailureReason.REJECTED, error=str(err), at=timezone.now())


# Idempotency -------------------------------------------------------------------------------------


def _fingerprint(input_props: dict[str, Any], priority: int, may_wait: bool) -> str:
    body = json.dumps([input_props, priority, may_wait], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(body.encode()).hexdigest()


def _same_key(render: Render) -> Any:
    return Render.objects.filter(owner=render.owner, idempotency_key=render.idempotency_key)


def _replayed(render: Render) -> Render:
    first = _same_key(render).first()
    if first is None:
        raise KeyConflict(IN_USE, is_in_use=True)
    if first.idempotency_fingerprint != render.idempotency_fingerprint:
        raise KeyConflict(
            "This Idempotency-Key was used for another request: send a new one, or the same body to the same address.",
            is_in_use=False,
        )
    if is_in_call(first):
        raise KeyConflict(IN_USE, is_in_use=True)
    return first


def is_in_call(render: Render) -> bool:
    """Whether some process may be waiting for AWS's answer to this render's start."""
    if render.status != Render.Status.SUBMITTING or render.error or render.submitted_at is None:
        return False
    longest = timedelta(seconds=min(settings.REMOTION_START_TIMEOUT, render.function_timeout)) + IN_CALL_MARGIN
    return timezone.now() - render.submitted_at < longest
