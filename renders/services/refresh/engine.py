"""Refresh rows: claim → fetch → observe → apply, for one row, for chosen ones, or for those that are due."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby, islice
from typing import Any

from django.utils import timezone

from renders.models import RefreshState, Render
from renders.remotion.errors import RemotionError, Unavailable, UnusableResponse
from renders.remotion.reader import FetchFailed, FetchResult, ProgressRequest, fetch_many
from renders.remotion.target import LambdaTarget
from renders.services.refresh.apply import ROW_DELETED, Refreshed, apply
from renders.services.refresh.circuit_breaker import CircuitBreaker
from renders.services.refresh.lease import BATCH_SIZE, claim_due, claim_for_watcher, claim_now
from renders.services.refresh.observe import observe


def refresh_render(render: Render) -> Render:
    """Refresh one row for a client that watches it, and return the row.

    However many clients ask, in however many processes, S3 is asked once a second at most; the others
    get the row as it is. Raise SetupError or Unavailable if S3 cannot be read; the row is then unchanged.
    """
    if render.status != Render.Status.RENDERING:
        return render
    if claim_for_watcher(render):
        state = RefreshState.objects.filter(pk=render.pk).first()
        if state:  # else the render has ended since
            render.refresh_state = state
            (result,) = _refresh_claimed([render], lambda: False)
            if result.error:
                raise result.error
    return Render.objects.select_related("refresh_state").get(pk=render.pk)


def refresh_renders(renders: Iterable[Render], is_stopped: Callable[[], bool] = lambda: False) -> Iterator[Refreshed]:
    """Refresh these rows now, due or not, and yield each when its batch is done.

    Rows that cannot change are yielded as they are. An error of one row is in its result and does
    not affect the others.
    """
    remaining = iter(renders)
    while batch := list(islice(remaining, BATCH_SIZE)):
        refreshable = [render for render in batch if render.render_id and render.is_refreshable]
        results: dict[Any, Refreshed] = {render.pk: Refreshed(render, ROW_DELETED) for render in refreshable}
        for _, group in groupby(sorted(claim_now(refreshable), key=_place), key=_place):
            results |= {result.render.pk: result for result in _refresh_claimed(list(group), is_stopped)}
        for render in batch:
            yield results.get(render.pk, Refreshed(render))


def refresh_due(breaker: CircuitBreaker, is_stopped: Callable[[], bool] = lambda: False) -> list[Refreshed]:
    """Refresh the next batch of due rows, none of a bucket whose circuit is open; empty if none is due."""
    renders = claim_due(breaker.open_buckets())
    if not renders:
        return []
    bucket_name = renders[0].bucket_name
    breaker.begin(bucket_name)
    has_answered, is_slow = True, False  # if this raises, the database has failed, and not S3
    try:
        results = _refresh_claimed(renders, is_stopped)
        has_answered = any(_is_answer(result.error) for result in results)
        is_slow = any(result.out_of_time for result in results)
    finally:
        breaker.end(bucket_name, has_answered=has_answered, is_slow=is_slow)
    return results


def _refresh_claimed(renders: Sequence[Render], is_stopped: Callable[[], bool]) -> list[Refreshed]:
    """Refresh claimed rows of one bucket."""
    if not renders:
        return []
    target = LambdaTarget.in_region(renders[0].region)
    results = _fetch(target, renders, is_stopped)
    observed = observe(target, renders, results, is_stopped=is_stopped)
    return apply(renders, observed)


def _fetch(target: LambdaTarget, renders: Sequence[Render], is_stopped: Callable[[], bool]) -> list[FetchResult]:
    now = timezone.now()
    requests = [ProgressRequest(render.render_id, _usable_etag(render, now)) for render in renders]
    try:
        return fetch_many(target, bucket_name=renders[0].bucket_name, requests=requests, is_stopped=is_stopped)
    except RemotionError as err:
        return [FetchFailed(err)] * len(renders)


def _usable_etag(render: Render, now: datetime) -> str:
    """Return the row's ETag; empty if the file is needed even if unchanged, to decide whether it is over."""
    is_in_time = render.deadline_at is not None and now < render.deadline_at
    must_cancel = render.cancel_requested_at and not render.cancel_sent_at
    is_told_by_file = render.kind != Render.Kind.STILL  # a still's file never changes; its output tells
    return render.refresh_state.etag if is_in_time and is_told_by_file and not must_cancel else ""


def _is_answer(error: RemotionError | None) -> bool:
    """Whether S3 answered, even with something unusable."""
    return not isinstance(error, Unavailable) or isinstance(error, UnusableResponse)


def _place(render: Render) -> tuple[str, str]:
    return render.region, render.bucket_name
