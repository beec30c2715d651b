"""Bringing rows up to date with AWS: reading concurrently, saving one by one."""

import logging
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from renders.models import Render
from renders.remotion import storage
from renders.remotion.config import RemotionConfig
from renders.remotion.errors import RemotionError, Unavailable
from renders.remotion.progress import RenderProgress, interpret, output_key
from renders.services.rows import ask_to_stop, change, config_of

logger = logging.getLogger(__name__)

READ_AGAIN_AFTER = timedelta(seconds=1)
"""A render that was read more recently than this is answered from its row."""

LOST_AFTER_TIMEOUT = timedelta(seconds=60)
"""How long after the function's time limit a render of which nothing is found counts as lost."""

CLAIM = timedelta(seconds=30)
"""How long what a worker holds is its own; a worker that was killed holds nothing any more then."""

UNREAD_AGAIN_AFTER = timedelta(seconds=5)

READERS = 16


@dataclass(frozen=True)
class Refreshed:
    """A render after its refresh, and what kept AWS from being read, if anything did."""

    render: Render
    error: RemotionError | None = None


def refresh_render(render: Render) -> Render:
    """Brings one row up to date with AWS, unless it is terminal or was read within a second.

    Raises SetupError or Unavailable where AWS cannot be read; the row is then as it was.
    """
    if render.is_terminal or _is_fresh(render):
        return render
    (result,) = refresh_renders([render])
    if result.error:
        raise result.error
    return result.render


def refresh_renders(renders: Iterable[Render]) -> Iterator[Refreshed]:
    """Brings rows up to date with AWS, reading concurrently, and yields each as it is done.

    Terminal rows and those still queued are yielded as they are. An error of one row is in its
    ``error`` and keeps none of the others.
    """
    rows = list(renders)
    readers = ThreadPoolExecutor(max_workers=READERS)
    try:
        for render, finding in zip(
            rows, readers.map(partial(_read, RemotionConfig.from_settings()), rows), strict=True
        ):
            yield _settle(render, finding)
    finally:
        readers.shutdown(cancel_futures=True)


def claim_due(*, limit: int, unread_since: datetime) -> list[Render]:
    """Rendering rows not read since then that no other worker holds, the stalest first; holds them."""
    now = timezone.now()
    with transaction.atomic():
        due = (
            Render.objects.active()
            .filter(status=Render.Status.RENDERING)
            .filter(Q(refreshed_at__isnull=True) | Q(refreshed_at__lte=unread_since))
            .filter(Q(claimed_until__isnull=True) | Q(claimed_until__lte=now))
            .order_by(F("refreshed_at").asc(nulls_first=True))
            .select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)[:limit]
        )
        renders = list(due)
        Render.objects.filter(pk__in=[render.pk for render in renders]).update(claimed_until=now + CLAIM)
    return renders


def release(renders: Iterable[Render], *, unread: Iterable[Render]) -> None:
    """Lets go of what ``claim_due`` held; what could not be read is left alone for a while."""
    Render.objects.filter(pk__in=[render.pk for render in renders]).update(claimed_until=None)
    later = timezone.now() + UNREAD_AGAIN_AFTER
    Render.objects.filter(pk__in=[render.pk for render in unread]).update(claimed_until=later)


def sign_output(render: Render) -> str | None:
    """A URL that shows the render's video for one hour; None while there is no video.

    Raises SetupError where the settings lack what a signature needs.
    """
    if render.status != Render.Status.SUCCEEDED:
        return None
    config = config_of(render, RemotionConfig.from_settings())
    return storage.sign_output_url(config, bucket_name=render.output_bucket, key=render.output_key)


# What AWS said -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Finding:
    """What was found of one render. Without ``progress`` there was no progress.json."""

    render_id: str = ""
    progress: RenderProgress | None = None
    progress_json: dict[str, Any] | None = None
    output_size: int | None = None
    """Bytes of an output that was looked for because the deadline has passed, and found."""


def _read(config: RemotionConfig, render: Render) -> _Finding | RemotionError:
    """Asks AWS about one render. Runs in a reader's thread, so it leaves the database alone."""
    if render.is_terminal or not render.render_id:
        return _Finding()
    config = config_of(render, config)
    try:
        if render.cancel_requested_at:
            ask_to_stop(render, config)
        reading = storage.read_progress(config, bucket_name=render.bucket_name, render_id=render.render_id)
        if reading is None:
            output_size = _find_output(config, render) if is_overdue(render) else None
            return _Finding(render.render_id, output_size=output_size)
        progress = interpret(
            reading.progress_json,
            bucket_name=render.bucket_name,
            now_in_ms=reading.read_at_in_ms,
            function_timeout=render.function_timeout,
        )
        is_over = progress.is_past_deadline and not progress.fatal_error_encountered
        output_size = _find_output(config, render) if is_over else None
        return _Finding(render.render_id, progress, reading.progress_json, output_size)
    except RemotionError as err:
        return err
    except Exception as err:
        # Whatever is wrong with one file, the other renders are to be read.
        logger.exception("Render %s has a progress.json that cannot be understood.", render.id)
        return Unavailable(f"S3 answered with a progress.json that cannot be understood ({err!r}).")


def _settle(render: Render, finding: _Finding | RemotionError) -> Refreshed:
    """Saves what was found. A row that cannot be saved is told and keeps none of the others."""
    if isinstance(finding, RemotionError):
        return Refreshed(render, finding)
    try:
        return Refreshed(change(render.pk, partial(_take_finding, finding=finding)))
    except (DatabaseError, Render.DoesNotExist) as err:
        logger.exception("Render %s could not be saved.", render.id)
        return Refreshed(render, Unavailable(f"The row could not be saved ({type(err).__name__}); the log says why."))


def _find_output(config: RemotionConfig, render: Render) -> int | None:
    return storage.find_output(config, bucket_name=render.bucket_name, key=_output_key(render))


def _take_finding(render: Render, *, finding: _Finding) -> None:
    """The one mapper: moves a locked row to where what was found says that it is."""
    if not finding.render_id or finding.render_id != render.render_id:
        return  # nothing was read of the render that the row now is
    now = timezone.now()
    reasons = Render.FailureReason
    progress = finding.progress
    if progress and finding.progress_json:
        render.record_progress(
            progress=progress.overall_progress,
            frames_rendered=progress.frames_rendered,
            errors=progress.errors,
            cost=progress.cost,
            currency=progress.currency,
            progress_json=finding.progress_json,
            at=now,
        )
    else:
        render.record_nothing_yet(at=now)
    if progress and progress.done:
        render.mark_succeeded(
            output_bucket=progress.out_bucket or render.bucket_name,
            output_key=progress.out_key or _output_key(render),
            output_size=progress.output_size or 0,
            at=now,
        )
    elif progress and progress.was_cancelled and render.cancel_requested_at:
        render.mark_cancelled(at=now)
    elif progress and progress.fatal_error_encountered:
        render.mark_failed(reasons.RENDER_ERROR, error=progress.error_message, at=now)
    elif finding.output_size is not None:
        bucket, key = render.bucket_name, _output_key(render)
        render.mark_succeeded(output_bucket=bucket, output_key=key, output_size=finding.output_size, at=now)
    elif render.cancel_requested_at and (progress.is_past_deadline if progress else is_overdue(render)):
        render.mark_cancelled(at=now)
    elif progress and progress.is_past_deadline:
        render.mark_failed(reasons.TIMED_OUT, error=_timeout_message(render, progress), at=now)
    elif not progress and is_overdue(render):
        render.mark_failed(reasons.LOST, error=_lost_message(render), at=now)


def _timeout_message(render: Render, progress: RenderProgress) -> str:
    return (
        f"The function {render.function_name} reached its time limit of {render.function_timeout} seconds"
        f" at {progress.overall_progress:.0%}. Deploy one with a longer limit, or render fewer frames;"
        " its logs say what took so long."
    )


def _lost_message(render: Render) -> str:
    return f"Nothing of the render is found in {render.bucket_name}, and its time limit has passed."


def _is_fresh(render: Render) -> bool:
    return render.refreshed_at is not None and timezone.now() - render.refreshed_at < READ_AGAIN_AFTER


def is_overdue(render: Render, at: datetime | None = None) -> bool:
    """Whether a render of which nothing is found must be over, if it ever was."""
    if render.is_terminal or render.submitted_at is None:
        return False
    return (at or timezone.now()) - render.submitted_at > timedelta(
        seconds=render.function_timeout
    ) + LOST_AFTER_TIMEOUT


def _output_key(render: Render) -> str:
    return output_key(render_id=render.render_id, out_name=render.out_name)
