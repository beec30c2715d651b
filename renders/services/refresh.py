"""Bringing rows up to date with AWS: reading many at once, saving them in batches.

A reader holds the renders that it reads by setting ``next_refresh_at`` ahead: nobody else reads
them meanwhile, and what a killed reader held is due again when that time has come.
"""

import logging
import random
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby, islice
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Case, F, Q, When
from django.db.models.functions import Least
from django.utils import timezone

from renders.models import Refresh, Render
from renders.remotion import reader, storage
from renders.remotion.config import RemotionConfig
from renders.remotion.errors import NoNews, RemotionError, Unavailable
from renders.remotion.reader import NOT_YET, Wanted
from renders.services.backoff import Backoff
from renders.services.findings import Finding, Found, ask_further, find, must_ask_further, take_finding, usable_etag
from renders.services.rows import config_of, hold, save_many, update_many
from renders.services.schedule import SHORTEST, WATCHED_FOR, next_refresh_at

logger = logging.getLogger(__name__)

HOLD = timedelta(seconds=60)
"""How long what a reader holds is its own."""

UNREAD_AGAIN_AFTER = timedelta(seconds=5)

BATCH = 300
LONGEST_ASKING_SECONDS = 10
ASKERS = 8
"""Threads for the small calls that a reading may lead to: looking for an output, asking to stop."""

READ = (
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
    "submitted_at",
    "finished_at",
    "deadline_at",
    "cancel_requested_at",
)
"""What a refresh must know of a row: making whole ones costs more than reading S3."""

HELD = ("render_id", "region", "bucket_name", "etag", "watched_at")
"""And of its Refresh."""


@dataclass(frozen=True)
class Refreshed:
    """A render after its refresh, and what kept AWS from being read, if anything did."""

    render: Render
    error: RemotionError | None = None


def refresh_render(render: Render) -> Render:
    """Brings one row up to date with AWS for somebody who watches it.

    However many do, in however many processes, AWS is asked once a second at most; the others get
    the row as it is. Raises SetupError or Unavailable where AWS cannot be read; the row is then as
    it was.
    """
    if render.status != Render.Status.RENDERING:
        return render
    if _hold_to_watch(render):
        state = Refresh.objects.filter(pk=render.pk).first()
        if state:  # else it has ended this moment
            render.refresh = state
            (result,) = _refresh_batch([render], lambda: False)
            if result.error:
                raise result.error
    return Render.objects.select_related("refresh").defer("progress_json").get(pk=render.pk)


def refresh_renders(renders: Iterable[Render], is_stopped: Callable[[], bool] = lambda: False) -> Iterator[Refreshed]:
    """Brings rows up to date with AWS at once, due or not, and yields each when its batch is done.

    Rows with nothing to read are yielded as they are. An error of one row is in its ``error`` and
    keeps none of the others.
    """
    left = iter(renders)
    while batch := list(islice(left, BATCH)):
        readable = [render for render in batch if render.render_id and _is_open(render)]
        results: dict[Any, Refreshed] = {}
        for _, group in groupby(sorted(_held(readable), key=_place), key=_place):
            results |= {result.render.pk: result for result in _refresh_batch(list(group), is_stopped)}
        for render in batch:
            yield results.get(render.pk, Refreshed(render))


def refresh_due(backoff: Backoff, is_stopped: Callable[[], bool] = lambda: False) -> list[Refreshed]:
    """Refreshes the next batch of due rows, but none of a bucket that is left alone; empty if none is due."""
    renders = _claim_due(backoff.silent())
    if not renders:
        return []
    bucket_name = renders[0].bucket_name
    backoff.begin(bucket_name)
    results: list[Refreshed] = []
    try:
        results = _refresh_batch(renders, is_stopped)
    finally:
        backoff.end(
            bucket_name,
            has_answered=any(_is_answer(result.error) for result in results),
            is_slow=any(result.error is NOT_YET for result in results),
        )
    return results


def _is_answer(error: RemotionError | None) -> bool:
    """Whether S3 answered, be it with something that is of no use."""
    return not isinstance(error, Unavailable) or isinstance(error, NoNews)


def _claim_due(silent_buckets: list[str]) -> list[Render]:
    """Due renders of one bucket that no other reader holds, the longest due first; holds them."""
    now = timezone.now()
    due = Refresh.objects.due(now).order_by("next_refresh_at")
    place = due.exclude(bucket_name__in=silent_buckets).values("region", "bucket_name").first()
    if place is None:
        return []
    chosen = due.filter(**place).values("pk")[:BATCH]
    if connection.features.has_select_for_update_skip_locked:
        chosen = chosen.select_for_update(skip_locked=True)
    with transaction.atomic():
        ids, parameters = chosen.query.sql_with_params()
        # Finds, holds and reads in one statement, which the ORM does in three.
        claim = (
            f"UPDATE {Refresh._meta.db_table} SET asked_at = %s, next_refresh_at = %s"  # noqa: S608
            f" WHERE render_id IN ({ids}) RETURNING {', '.join(HELD)}"
        )
        states = {state.pk: state for state in Refresh.objects.raw(claim, [now, now + HOLD, *parameters])}
    renders = list(Render.objects.filter(pk__in=states).only(*READ))
    for render in renders:
        render.refresh = states[render.pk]
    return renders


def _refresh_batch(renders: list[Render], is_stopped: Callable[[], bool]) -> list[Refreshed]:
    """Reads renders of one bucket that are held, and saves them in a handful of statements.

    Rows that could not be read keep their last truth and are due again after a while; those that
    were not asked for because of ``is_stopped`` at once.
    """
    if not renders:
        return []
    config = config_of(renders[0], RemotionConfig.from_settings())
    now = timezone.now()
    wanted = [Wanted(render.render_id, usable_etag(render, now)) for render in renders]
    try:
        readings = reader.read_many(config, bucket_name=renders[0].bucket_name, wanted=wanted, is_stopped=is_stopped)
    except RemotionError as err:
        readings = [err] * len(renders)
    findings = [find(render, reading, now) for render, reading in zip(renders, readings, strict=True)]
    if any(must_ask_further(*pair) for pair in zip(renders, findings, strict=True)):
        ends_at = time.monotonic() + LONGEST_ASKING_SECONDS
        ask = partial(ask_further, config, is_over=lambda: is_stopped() or time.monotonic() > ends_at)
        with ThreadPoolExecutor(ASKERS) as askers:
            findings = list(askers.map(ask, renders, findings))
    try:
        return _settle(renders, findings)
    except Exception:
        logger.exception("A batch could not be saved at once; its rows are saved one by one.")
        return [_settle_one(render, finding) for render, finding in zip(renders, findings, strict=True)]


def sign_output(render: Render) -> str | None:
    """A URL that shows the render's video for one hour; None while there is no video.

    Raises SetupError where the settings lack what a signature needs.
    """
    if render.status != Render.Status.SUCCEEDED:
        return None
    config = config_of(render, RemotionConfig.from_settings())
    return storage.sign_output_url(config, bucket_name=render.output_bucket, key=render.output_key)


# Holding -----------------------------------------------------------------------------------------


def _hold_to_watch(render: Render) -> bool:
    """Whether this watcher is to read; notes that somebody watches, so that the worker reads sooner."""
    now = timezone.now()
    state = Refresh.objects.filter(pk=render.pk)
    # Not while somebody else is reading, nor while a bucket that failed is left alone.
    is_answered = Q(answered_at__gte=F("asked_at"))
    may_ask = Q(asked_at__isnull=True) | Q(asked_at__lte=now - SHORTEST) & (is_answered | Q(next_refresh_at__lte=now))
    if state.filter(may_ask).update(asked_at=now, next_refresh_at=now + HOLD, watched_at=now):
        return True
    is_news = Q(watched_at__isnull=True) | Q(watched_at__lte=now - WATCHED_FOR / 2)
    soon = Case(When(is_answered, then=Least(F("next_refresh_at"), now + SHORTEST)), default=F("next_refresh_at"))
    state.filter(is_news).update(watched_at=now, next_refresh_at=soon)
    return False


def _held(renders: list[Render]) -> list[Render]:
    """Holds rows, due or not, and those that are not looked at any more by themselves too."""
    now = timezone.now()
    ids = [render.pk for render in renders]
    values = {"asked_at": now, "next_refresh_at": now + HOLD}
    if Refresh.objects.filter(pk__in=ids).update(**values) < len(ids):
        hold(Render.objects.filter(pk__in=ids, refresh=None), **values)
    states = Refresh.objects.in_bulk(ids)
    for render in renders:
        # Without one, the row was deleted meanwhile.
        render.refresh = states.get(render.pk) or Refresh(render=render, **values)
    return renders


def _is_open(render: Render) -> bool:
    return render.status == Render.Status.RENDERING or render.may_yet_succeed


def _place(render: Render) -> tuple[str, str]:
    return render.region, render.bucket_name


# Into the rows -----------------------------------------------------------------------------------


def _settle(renders: list[Render], findings: list[Found]) -> list[Refreshed]:
    """Saves what was found of renders that are held, and when to ask about them again."""
    now = timezone.now()
    found = {render.pk: finding for render, finding in zip(renders, findings, strict=True)}
    with transaction.atomic():
        changed = _take_findings({pk: finding for pk, finding in found.items() if isinstance(finding, Finding)}, now)
        ended, news = set(), []
        for render in renders:
            finding, state = found[render.pk], render.refresh
            if isinstance(finding, RemotionError):
                wait = UNREAD_AGAIN_AFTER * random.uniform(0.5, 1.5)  # noqa: S311
                state.next_refresh_at = now if finding is NOT_YET else now + wait
                continue
            state.answered_at = now
            if finding:
                state.etag = finding.reading.etag
                news.append(state)
            at = next_refresh_at(changed.get(render.pk, render), now, watched_at=state.watched_at)
            if at is None:
                ended.add(render.pk)
            else:
                state.next_refresh_at = at
        left = [render.refresh for render in renders if render.pk not in ended]
        update_many(left, ("next_refresh_at", "answered_at"))
        # What was not read anew keeps its ETag: another may have read it meanwhile.
        update_many([state for state in news if state.pk not in ended], ("etag",))
        if ended:
            Refresh.objects.filter(pk__in=ended).delete()
    return [_result(render, found[render.pk], changed) for render in renders]


def _take_findings(news: dict[UUID, Finding], now: datetime) -> dict[UUID, Render]:
    """Locks the rows of which there is news, moves them, saves them, and returns them."""
    if not news:
        return {}
    locked = Render.objects.select_for_update().filter(pk__in=news).order_by("pk").only(*READ)
    changed = {render.pk: render for render in locked}
    for pk, render in changed.items():
        take_finding(render, news[pk], now)
    save_many(changed.values())
    return changed


def _result(render: Render, finding: Found, changed: dict[UUID, Render]) -> Refreshed:
    if isinstance(finding, Finding):
        row = changed.get(render.pk)
        return Refreshed(row) if row else Refreshed(render, NoNews("The row was deleted meanwhile."))
    return Refreshed(render, finding)


def _settle_one(render: Render, finding: Found) -> Refreshed:
    try:
        return _settle([render], [finding])[0]
    except Exception as err:
        logger.exception("Render %s could not be saved.", render.id)
        return Refreshed(render, NoNews(f"The row could not be saved ({type(err).__name__}); the log says why."))
