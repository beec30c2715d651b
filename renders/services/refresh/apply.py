"""Change rows under their locks: the one place where news reaches them, whoever brought it."""

import logging
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from renders.models import RefreshState, Render, RenderQuerySet, transitions
from renders.remotion.errors import RemotionError, UnusableResponse
from renders.remotion.progress import RenderProgress, output_key
from renders.remotion.reader import FetchFailed
from renders.services.events.publish import happened, publish
from renders.services.posters import queue_posters
from renders.services.refresh.lease import FIELDS, LEASE
from renders.services.refresh.observe import Observation, Observed
from renders.services.refresh.schedule import next_refresh_at

logger = logging.getLogger(__name__)

RETRY_AFTER = timedelta(seconds=5)
"""When a row that could not be read is due again, give or take half."""

ROW_DELETED = UnusableResponse("The row was deleted meanwhile.")
FAR_FUTURE = datetime(3000, 1, 1, tzinfo=UTC).timestamp()


@dataclass(frozen=True)
class Refreshed:
    """A render after its refresh, and why S3 could not be read, if so."""

    render: Render
    error: RemotionError | None = None
    out_of_time: bool = False
    """S3 was not asked, because there was no time left."""


def change_render(pk: UUID, transition: Callable[[Render], object]) -> Render:
    """Lock the row, read it anew, apply ``transition``, save, and return the row as it is then.

    ``transition`` is one of ``models.transitions`` with its arguments bound. Raise
    Render.DoesNotExist if the row was deleted.
    """
    with transaction.atomic():
        render = Render.objects.lock().get(pk=pk)
        transition(render)
        ended, types_of = _ended([render]), happened([render])
        if render.changed_fields:
            render.save_changes()
            _schedule(render)
            publish({**types_of, **queue_posters(ended)})
    _log_ended(ended)
    return render


def change_renders(renders: RenderQuerySet, transition: Callable[[Render], object]) -> list[Render]:
    """Do the same as ``change_render()`` with all of ``renders``, at most some hundreds, in one transaction.

    The rows are locked in the order of their ids. ``transition`` must not raise for any of them.
    """
    with transaction.atomic():
        locked = list(renders.lock().order_by("pk"))
        for render in locked:
            transition(render)
        changed = [render for render in locked if render.changed_fields]
        ended, types_of = _ended(changed), happened(changed)
        Render.objects.save_changes(changed)
        _schedule_many(changed)
        publish({**types_of, **queue_posters(ended)})
    _log_ended(ended)
    return changed


def apply(renders: Sequence[Render], observed: Sequence[Observed]) -> list[Refreshed]:
    """Store what was observed of claimed rows, and when each is due again, in a handful of statements.

    A row that could not be read keeps its last truth and is due again after about ``RETRY_AFTER``;
    one that was out of time at once. Raise OperationalError or InterfaceError if the database cannot be
    used; the rows are then due again when their lease ends.
    """
    try:
        return _apply_batch(renders, observed)
    except (OperationalError, InterfaceError) as err:
        # A deadlock, or a connection that broke: the same once more, with a new connection if need be.
        logger.warning("A batch could not be saved (%s); it is tried once more.", err)
        if not connection.is_usable():
            connection.close()
        return _apply_batch(renders, observed)
    except Exception:
        logger.exception("A batch could not be saved at once; its rows are saved one by one.")
        return [_apply_one(render, found) for render, found in zip(renders, observed, strict=True)]


def _schedule(render: Render) -> None:
    at = next_refresh_at(render, timezone.now())
    if at:
        RefreshState.objects.upsert([render], next_refresh_at=at)
    elif render.is_terminal:
        RefreshState.objects.filter(pk=render.pk).delete()


def _schedule_many(renders: Iterable[Render]) -> None:
    now = timezone.now()
    due: dict[datetime, list[Render]] = {}
    ended = []
    for render in renders:
        if at := next_refresh_at(render, now):
            due.setdefault(at, []).append(render)
        elif render.is_terminal:
            ended.append(render.pk)
    for at, rows in due.items():
        RefreshState.objects.upsert(rows, next_refresh_at=at)
    if ended:
        RefreshState.objects.filter(pk__in=ended).delete()


def _apply_one(render: Render, found: Observed) -> Refreshed:
    try:
        return _apply_batch([render], [found])[0]
    except Exception as err:
        logger.exception("Render %s could not be saved.", render.id, extra=render.log_fields)
        message = f"The row could not be saved ({type(err).__name__}); the log says why."
        return Refreshed(render, UnusableResponse(message))


def _apply_batch(renders: Sequence[Render], observed: Sequence[Observed]) -> list[Refreshed]:
    now = timezone.now()
    found = {render.pk: item for render, item in zip(renders, observed, strict=True)}
    with transaction.atomic():
        changed = _change_rows({pk: item for pk, item in found.items() if isinstance(item, Observation)}, now)
        ended, types_of = _ended(changed.values()), happened(changed.values())
        Render.objects.save_changes(changed.values())
        _schedule_batch(renders, found, changed, now)
        publish({**types_of, **queue_posters(ended)})
    _log_ended(ended)
    return [_result(render, found[render.pk], changed) for render in renders]


def _change_rows(news: Mapping[UUID, Observation], now: datetime) -> dict[UUID, Render]:
    """Lock the rows that there is news of, change them in memory, and return them."""
    if not news:
        return {}
    locked = Render.objects.lock().filter(pk__in=news).order_by("pk").only(*FIELDS)
    changed = {render.pk: render for render in locked}
    for pk, render in changed.items():
        _apply_observation(render, news[pk], now)
    return changed


def _ended(renders: Iterable[Render]) -> list[Render]:
    """Return those that have just ended, before their changes are saved."""
    return [render for render in renders if render.is_terminal and "status" in render.changed_fields]


def _log_ended(renders: Iterable[Render]) -> None:
    for render in renders:
        fields = render.log_fields
        reason = f" ({render.error})" if render.error else ""
        logger.info("Render %s in %s is %s%s", fields["render"], fields["bucket"], render.status, reason, extra=fields)


def _schedule_batch(
    renders: Sequence[Render], found: Mapping[UUID, Observed], changed: Mapping[UUID, Render], now: datetime
) -> None:
    ended: set[UUID] = set()
    read_anew = []
    states = RefreshState.objects
    for render in renders:
        item, state = found[render.pk], render.refresh_state
        if isinstance(item, FetchFailed):
            wait = RETRY_AFTER * random.uniform(0.5, 1.5)  # noqa: S311
            at: datetime | None = now if item.out_of_time else now + wait
        else:
            state.answered_at = now
            if isinstance(item, Observation):
                state.etag = item.fetched.etag if item.fetched else ""
                read_anew.append(state)
            at = next_refresh_at(changed.get(render.pk, render), now, watched_at=state.watched_at)
        if at is None:
            ended.add(render.pk)
        else:
            state.next_refresh_at = at
    # A row that was rescheduled during the refresh, by a request to cancel for example, stays as it is.
    asked_at = renders[0].refresh_state.asked_at  # the same for all: they were claimed together
    lease = {"next_refresh_at": asked_at + LEASE} if asked_at else None
    kept = [render.refresh_state for render in renders if render.pk not in ended]
    states.update_many(kept, ("next_refresh_at", "answered_at"), only_if=lease)
    # A row that was not read anew keeps its ETag: another process may have read it meanwhile.
    states.update_many([state for state in read_anew if state.pk not in ended], ("etag",))
    if ended:
        states.filter(pk__in=ended).delete()


def _result(render: Render, found: Observed, changed: Mapping[UUID, Render]) -> Refreshed:
    if isinstance(found, FetchFailed):
        return Refreshed(render, found.error, out_of_time=found.out_of_time)
    if isinstance(found, Observation):
        row = changed.get(render.pk)
        return Refreshed(row) if row else Refreshed(render, ROW_DELETED)
    return Refreshed(render)


def _apply_observation(render: Render, found: Observation, now: datetime) -> None:
    """Move a locked row to the status that was observed."""
    if found.render_id != render.render_id:
        return  # the row has another renderId by now, and nothing was read of that render
    _record(render, found, now)
    if found.cancel_sent:
        transitions.record_cancel_sent(render, at=now)
    elif found.cancel_error:
        transitions.record_cancel_unsent(render, error=found.cancel_error)
    progress = found.progress
    reasons = Render.FailureReason
    if progress and progress.done:
        transitions.mark_succeeded(
            render,
            output_bucket=progress.out_bucket or render.bucket_name,
            output_key=progress.out_key or _output_key(render),
            output_size=progress.output_size or 0,
            at=now,
        )
    elif progress and progress.was_cancelled and render.cancel_requested_at:
        transitions.mark_cancelled(render, at=now)
    elif progress and progress.fatal_error:
        transitions.mark_failed(render, reasons.RENDER_ERROR, error=progress.error_message, at=now)
    elif found.output_size is not None:
        bucket, key = render.bucket_name, _output_key(render)
        transitions.mark_succeeded(render, output_bucket=bucket, output_key=key, output_size=found.output_size, at=now)
    elif render.cancel_requested_at and _is_over(found):
        transitions.mark_cancelled(render, at=now)
    elif progress and progress.is_past_deadline:
        transitions.mark_failed(render, reasons.TIMED_OUT, error=_timeout_message(render, progress), at=now)
    elif _is_over(found):
        transitions.mark_failed(render, reasons.LOST, error=_lost_message(render), at=now)


def _record(render: Render, found: Observation, now: datetime) -> None:
    if not found.fetched or not found.progress:
        transitions.record_no_progress_file(render, at=now)
        return
    has_new_size = render.width is None and found.progress.width
    if has_new_size or (render.duration_in_frames is None and found.progress.duration_in_frames):
        transitions.record_size(
            render,
            duration_in_frames=found.progress.duration_in_frames,
            width=found.progress.width,
            height=found.progress.height,
        )
    if found.progress.artifacts:
        transitions.record_artifacts(render, artifacts=found.progress.artifacts)
    transitions.record_progress(
        render,
        progress=found.progress.overall_progress,
        frames_rendered=found.progress.frames_rendered,
        errors=found.progress.errors,
        cost=found.progress.cost,
        currency=found.progress.currency,
        function_seconds=_seconds(found.progress.billing_duration),
        deadline_at=_from_ms(found.progress.deadline_in_ms),
        first_chunk_at=_from_ms(found.progress.first_chunk_in_ms),
        at=now,
    )


def _is_over(found: Observation) -> bool:
    return found.progress.is_past_deadline if found.progress else found.is_over


def _timeout_message(render: Render, progress: RenderProgress) -> str:
    return (
        f"The function {render.function_name} reached its time limit of {render.function_timeout} seconds"
        f" at {progress.overall_progress:.0%}. Deploy one with a longer limit, or render fewer frames;"
        " its logs say what took so long."
    )


def _lost_message(render: Render) -> str:
    return f"Nothing of the render is found in {render.bucket_name}, and its time limit has passed."


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _from_ms(milliseconds: float | None) -> datetime | None:
    if milliseconds is None:
        return None
    # A file may hold any number; a datetime ends in the year 9999.
    return datetime.fromtimestamp(min(max(milliseconds / 1000, 0), FAR_FUTURE), tz=UTC)


def _output_key(render: Render) -> str:
    return output_key(render_id=render.render_id, out_name=render.out_name)
