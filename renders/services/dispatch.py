"""Start renders whose row is committed: the next queued one, or the one just created."""

import logging
import random
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import InterfaceError, InternalError, OperationalError, connection, transaction
from django.utils import timezone

from renders.models import Render, transitions
from renders.remotion import start, still
from renders.remotion.errors import (
    BucketMissing,
    OutcomeUnknown,
    PropsNotStored,
    Rejected,
    RemotionError,
    StillFailed,
    Unavailable,
)
from renders.remotion.info import known_version
from renders.remotion.start import StartedRender
from renders.remotion.still import FinishedStill
from renders.remotion.target import LambdaTarget
from renders.remotion.webhook import WebhookSettings
from renders.services.admission import MAX_PREPARATION, next_to_start, slots_until
from renders.services.answers import mark_started, mark_still_failed, mark_still_finished
from renders.services.errors import StartFailed
from renders.services.refresh.apply import change_render

logger = logging.getLogger(__name__)

Transition = Callable[[Render], object]
"""One of ``models.transitions`` with its arguments bound."""

MAX_BACKOFF = timedelta(minutes=2)
MAX_UPLOAD_ATTEMPTS = 5

DATABASE_UNUSABLE = (OperationalError, InterfaceError, InternalError)
"""For now. psycopg raises InternalError for a server that is read-only, as during a failover."""

MAX_STORE_SECONDS = 10
"""How long a request waits for the database to take a renderId."""


def dispatch_next() -> Render | None:
    """Start the first queued render if its slots are free, and return it; None if there is none."""
    render = admit_next()
    return start_admitted(render) if render else None


def admit_next() -> Render | None:
    """Commit the first queued render as ``submitting`` if its slots are free, and return it; None if there is none.

    The caller starts it at once, with ``start_admitted()``.
    """
    if not Render.objects.queued().exists():
        return None  # without the admission lock: idle workers ask often
    target = LambdaTarget.from_settings()
    with transaction.atomic():
        Render.objects.lock_admission()
        render = next_to_start()
        if render is None:
            return None
        now = timezone.now()
        transitions.mark_submitting(
            render,
            at=now,
            slots_until=slots_until(target, submitted_at=now, kind=render.kind),
            configuration=configuration(target),
        )
        render.save_changes()
    return render


def start_admitted(render: Render) -> Render:
    """Start a render that ``admit_next()`` returned, and return it as it is then.

    What became of the start is stored in the row and not raised. If nothing ran and the render
    itself is not the cause, it is queued again.
    """
    try:
        return start_submitted(render, LambdaTarget.from_settings())
    except StartFailed as err:
        return err.render
    except RemotionError as err:
        is_its_own_fault = isinstance(err, PropsNotStored) and render.upload_attempts >= MAX_UPLOAD_ATTEMPTS
        # Remotion has launched a render in a bucket that does not exist, in vain: no second time.
        if isinstance(err, Rejected | BucketMissing) or is_its_own_fault:
            return reject(render, err)
        return queue_again(render, err)


def start_submitted(render: Render, target: LambdaTarget) -> Render:
    """Make the one call for a row that is committed as ``submitting``, and store what it answers.

    Raise StartFailed if the outcome is unknown, after storing that; the other errors of ``remotion.start``
    if nothing ran.
    """
    call = _render_still if render.kind == Render.Kind.STILL else _start_video
    try:
        transition, answer = call(render, target)
    except OutcomeUnknown as err:
        logger.warning("Render %s: %s", render.id, err, extra=render.log_fields)
        render = change_render(render.pk, partial(transitions.record_unconfirmed, error=str(err)))
        if render.render_id:
            return render  # a webhook has named it meanwhile
        raise StartFailed(render, err) from err
    except StillFailed as err:
        return _store(render, partial(mark_still_failed, failure=err), what="that it failed")
    # Logged before it is stored: whatever happens now, the log has the renderId.
    logger.info("Render %s is %s in %s", render.id, answer.render_id, answer.bucket_name, extra=render.log_fields)

    def store(row: Render) -> None:
        transition(row)
        if row.remotion_version != (version := known_version(target)):  # the function had to be asked for it
            row.set_fields(remotion_version=version)

    return _store(render, store, what=f"its renderId {answer.render_id}")


def _start_video(render: Render, target: LambdaTarget) -> tuple[Transition, StartedRender]:
    payload = start.prepare(
        target,
        **_content(render),
        frames_per_lambda=render.frames_per_lambda,
        concurrency=render.concurrency,
        webhook=WebhookSettings.from_settings(),
        custom_data={"id": str(render.id)},
    )
    _require_recent(render)
    started = start.start(target, payload)
    return partial(mark_started, started=started), started


def _render_still(render: Render, target: LambdaTarget) -> tuple[Transition, FinishedStill]:
    payload = still.prepare(
        target,
        **_content(render),
        frame=render.frame or 0,
    )
    _require_recent(render)
    finished = still.render_still(target, payload)
    return partial(mark_still_finished, finished=finished), finished


def _content(render: Render) -> dict[str, Any]:
    """Return what the payloads of videos and stills have in common."""
    return {
        "serve_url": render.serve_url,
        "composition": render.composition,
        "input_props": render.input_props,
        "options": render.options,
        "props_name": str(render.id),
        "out_name": render.out_name,
    }


def _require_recent(render: Render) -> None:
    """Raise Unavailable if preparing took so long that another process may have failed the row."""
    if render.submitted_at and timezone.now() - render.submitted_at > MAX_PREPARATION:
        raise Unavailable("Preparing the start took too long, so nothing was started. Try again.")


def _store(render: Render, transition: Transition, *, what: str) -> Render:
    """Store ``what`` the call answered; if the database breaks, try again for as long as the process lives.

    Raise StartFailed after ``MAX_STORE_SECONDS``, while a thread goes on trying.
    """
    try:
        return change_render(render.pk, transition)
    except DATABASE_UNUSABLE as err:
        logger.warning("Render %s: %s is not stored yet (%s).", render.id, what, err, extra=render.log_fields)
        connection.close()
    stored: list[Render] = []
    thread = threading.Thread(target=_keep_storing, args=(render, transition, what, stored), daemon=True)
    thread.start()
    thread.join(MAX_STORE_SECONDS)
    if stored:
        return stored[0]
    raise StartFailed(
        render,
        OutcomeUnknown(f"AWS has answered, but the database does not take {what}. It is stored as soon as it does."),
    )


def _keep_storing(render: Render, transition: Transition, what: str, stored: list[Render]) -> None:
    """Try once a second, each time with a new connection."""
    while not stored:
        try:
            stored.append(change_render(render.pk, transition))
            logger.info("Render %s: %s is stored now.", render.id, what, extra=render.log_fields)
        except DATABASE_UNUSABLE:
            time.sleep(1)
        except Exception:
            logger.exception("Render %s: %s cannot be stored.", render.id, what, extra=render.log_fields)
            return
        finally:
            connection.close()


def queue_again(render: Render, err: RemotionError) -> Render:
    """Put a render that did not run back into the queue, for a time that doubles with each attempt."""
    longest = min(MAX_BACKOFF, timedelta(seconds=2 ** min(render.throttled_count, 10)))
    dispatch_after = timezone.now() + longest * random.uniform(0.5, 1)  # noqa: S311
    again = partial(
        transitions.mark_queued_again,
        error=str(err),
        dispatch_after=dispatch_after,
        upload_failed=isinstance(err, PropsNotStored),
    )
    return _store(render, again, what="that it did not start")


def reject(render: Render, err: RemotionError) -> Render:
    """Store that a render was refused and did not run."""
    rejected = partial(transitions.mark_failed, reason=Render.FailureReason.REJECTED, error=str(err), at=timezone.now())
    return _store(render, rejected, what="that it was refused")


def configuration(target: LambdaTarget) -> dict[str, Any]:
    """Return the fields in which a row keeps the function that it is submitted to."""
    return {
        "function_name": target.function_name,
        "function_timeout": target.function_timeout,
        "region": target.region,
        "configured_bucket": target.bucket_name,
        "remotion_version": known_version(target),
    }
