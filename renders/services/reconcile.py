"""Find renders whose start is unconfirmed, by looking for them in their buckets.

Each render's output is named after its row, and Remotion writes that name into ``progress.json``
as soon as it knows the composition. So a progress.json that names the output of an unconfirmed
row is that row's render. A unique constraint keeps two rows from one render.
"""

import logging
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from django.db import IntegrityError
from django.utils import timezone

from renders.models import BucketScan, Render, transitions
from renders.remotion import storage
from renders.remotion.errors import BucketMissing, RemotionError, Unavailable
from renders.remotion.reader import Missing, fetch_progress
from renders.remotion.start import StartedRender
from renders.remotion.storage import StoredFile
from renders.remotion.target import LambdaTarget
from renders.services.answers import mark_started
from renders.services.idempotency import is_being_started
from renders.services.refresh.apply import change_render
from renders.services.refresh.circuit_breaker import CircuitBreaker
from renders.services.refresh.schedule import overdue_at

logger = logging.getLogger(__name__)

CLOCK_SKEW = timedelta(minutes=2)
"""How far S3's clock may be from ours."""

LEASE = timedelta(minutes=2)
UNREAD_FILES_DELAY = timedelta(minutes=10)
"""How much longer a row is looked for while files that may be its own cannot be read."""

UNREADABLE_DELAY = timedelta(hours=1)
"""How much longer while its bucket cannot be read at all. It is rechecked after that."""

RENDER_FILE = re.compile(r"^renders/(?P<render_id>[^/]+)/(?P<name>[^/]+)$")


@dataclass
class Reconciliation:
    """What one call did."""

    unconfirmed: int = 0
    """Rows that were looked for."""
    found: int = 0
    requests: int = 0
    """Requests to S3."""
    failures: dict[str, RemotionError] = field(default_factory=dict)
    """Why a bucket, or the list of a region's buckets, could not be read, by its name."""

    @property
    def summary(self) -> str:
        return f"Unconfirmed: {self.unconfirmed}, of which {self.found} found, with {self.requests} requests to S3."


def reconcile(
    *,
    breaker: CircuitBreaker | None = None,
    max_requests: int = 20,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Reconciliation:
    """Look for unconfirmed renders in their buckets; a row whose time has passed is presumed lost.

    Makes no request if no row is unconfirmed, else about ``max_requests`` to each bucket; the next
    call goes on where this one ended. Buckets whose circuit is open in ``breaker`` are skipped. A
    bucket that cannot be read is noted in ``failures`` and affects no other bucket's rows.

    A row is presumed lost after a complete scan of each bucket that it may be in, started after its
    time had passed; or ``UNREADABLE_DELAY`` after that time, if no such scan was possible.
    """
    return _Reconciler(breaker or CircuitBreaker(), max_requests, is_stopped).run()


_Place = tuple[str, str]
"""The region and the bucket that a start named; without a bucket it may be any of Remotion's."""


def _place(render: Render) -> _Place:
    return render.region, render.configured_bucket


class _Reconciler:
    """One call's buckets, and what it learns of each."""

    def __init__(self, breaker: CircuitBreaker, max_requests: int, is_stopped: Callable[[], bool]) -> None:
        self.breaker = breaker
        self.max_requests = max_requests
        self.is_stopped = is_stopped
        self.result = Reconciliation()
        self.missing_buckets: set[str] = set()

    def run(self) -> Reconciliation:
        now = timezone.now()
        sought = [render for render in Render.objects.unconfirmed() if not is_being_started(render)]
        sought += Render.objects.lost_and_due(now).select_related("refresh_state")
        self.result.unconfirmed = len(sought)
        buckets_of = {place: self._buckets(*place) for place in sorted({_place(render) for render in sought})}
        for region, name in sorted({(place[0], name) for place, names in buckets_of.items() for name in names or ()}):
            here = [r for r in sought if r.region == region and name in (buckets_of[_place(r)] or ())]
            self._ask(name, partial(self._scan, LambdaTarget.in_region(region), name, here))
        for render in sought:
            with suppress(Render.DoesNotExist):  # deleted meanwhile: it was presumed lost before
                self._end_if_over(render, buckets_of[_place(render)])
        return self.result

    def _buckets(self, region: str, bucket_name: str) -> list[str] | None:
        """Return the buckets that a render of this place may be in; None if they cannot be listed now."""
        if bucket_name:
            return [bucket_name]
        listed: list[list[str]] = []
        self._ask(region, lambda: listed.append(storage.list_buckets(LambdaTarget.in_region(region))))
        self.result.requests += 1
        return listed[0] if listed else None

    def _ask(self, name: str, question: Callable[[], None]) -> None:
        """Ask S3 about this bucket or region, unless its circuit is open; note why if that fails."""
        if self.is_stopped() or name in self.breaker.open_buckets():
            return
        self.breaker.begin(name)
        has_answered = False
        try:
            question()
            has_answered = True
        except BucketMissing:
            has_answered = True
            self.missing_buckets.add(name)
        except RemotionError as err:
            # A bucket that may not be listed may be read all the same: its renders are refreshed.
            has_answered = not isinstance(err, Unavailable)
            self.result.failures[name] = err
        finally:
            self.breaker.end(name, has_answered=has_answered)

    def _scan(self, target: LambdaTarget, bucket_name: str, renders: list[Render]) -> None:
        scan = _Scan(target, bucket_name, renders, self.max_requests, self.is_stopped)
        try:
            scan.run()
        finally:
            self.result.found += scan.found
            self.result.requests += scan.requests

    def _end_if_over(self, render: Render, bucket_names: list[str] | None) -> None:
        # One that is presumed lost is looked for again when its recheck is due.
        due_at = render.refresh_state.next_refresh_at if render.is_terminal else overdue_at(render)
        complete_at = None if bucket_names is None else self._complete_at(bucket_names)
        if complete_at and complete_at >= due_at:
            change_render(render.pk, _presume_lost)
        elif timezone.now() > due_at + UNREADABLE_DELAY:
            names = [render.region] if bucket_names is None else bucket_names
            failures = [str(self.result.failures[name]) for name in names if name in self.result.failures]
            change_render(render.pk, partial(_presume_lost, unreadable=" ".join(failures)))

    def _complete_at(self, bucket_names: list[str]) -> datetime | None:
        """Return the start of the oldest last complete scan; None if one bucket was never scanned.

        A bucket that does not exist holds no render.
        """
        existing = [name for name in bucket_names if name not in self.missing_buckets]
        if not existing:
            return timezone.now()
        scans = BucketScan.objects.filter(bucket_name__in=existing)
        times = [scan.complete_at for scan in scans if scan.complete_at]
        return min(times) if len(times) == len(existing) else None


class _Scan:
    """One bounded part of the scan of a bucket; counts its requests."""

    def __init__(
        self,
        target: LambdaTarget,
        bucket_name: str,
        renders: list[Render],
        max_requests: int,
        is_stopped: Callable[[], bool],
    ) -> None:
        self.target = target
        self.bucket_name = bucket_name
        self.sought = {render.out_name: render for render in renders}
        self.since = min(render.submitted_at or render.created_at for render in renders) - CLOCK_SKEW
        self.max_requests = max_requests
        self.is_stopped = is_stopped
        self.requests = 0
        self.found = 0

    def run(self) -> None:
        now = timezone.now()
        scan = BucketScan.objects.claim(self.bucket_name, at=now, until=now + LEASE)
        if scan is None:
            return  # another process scans it
        try:
            self._go_on(scan)
        finally:
            scan.leased_until = None
            scan.save()

    def _go_on(self, scan: BucketScan) -> None:
        while self.sought and self._may_ask():
            if not scan.position:
                scan.started_at, scan.has_unread_files = timezone.now(), False
            self.requests += 1
            files, end = storage.list_render_files(self.target, bucket_name=scan.bucket_name, after=scan.position)
            if not self._look_through(scan, files):
                return
            scan.position = end
            if not end:
                delay = UNREAD_FILES_DELAY if scan.has_unread_files else timedelta()
                scan.complete_at = scan.started_at - delay if scan.started_at else None
                return

    def _may_ask(self) -> bool:
        return self.requests < self.max_requests and not self.is_stopped()

    def _look_through(self, scan: BucketScan, files: Iterable[StoredFile]) -> bool:
        """Look at each file and move the scan's position behind it; False if requests ran out before the end."""
        matches = {file: match for file in files if (match := RENDER_FILE.match(file.key))}
        ids = {match["render_id"] for match in matches.values()}
        known = Render.objects.with_render_id(*ids).filter(bucket_name=scan.bucket_name)
        known_ids = set(known.values_list("render_id", flat=True))
        for file, match in matches.items():
            started = StartedRender(match["render_id"], scan.bucket_name)
            if match["name"] in self.sought:
                self._take(match["name"], started)
            elif match["name"] == "progress.json" and self._may_be_sought(file, started, known_ids):
                if not self._may_ask():
                    return False
                scan.has_unread_files |= not self._read(started)
            scan.position = file.key
        return True

    def _may_be_sought(self, file: StoredFile, started: StartedRender, known_ids: set[str]) -> bool:
        return file.last_modified >= self.since and started.render_id not in known_ids

    def _read(self, started: StartedRender) -> bool:
        """Read a render's progress.json and take the render if it is sought; False if it cannot be read."""
        self.requests += 1
        try:
            result = fetch_progress(self.target, bucket_name=started.bucket_name, render_id=started.render_id)
        except Unavailable as err:
            logger.warning("%s is left out of the scan: %s", started, err)
            return False
        metadata = None if isinstance(result, Missing) else result.file.render_metadata
        out_name = metadata.out_name if metadata else None
        if out_name in self.sought:
            self._take(out_name, started)
        return True

    def _take(self, out_name: str, started: StartedRender) -> None:
        render = self.sought.pop(out_name)
        try:
            render = change_render(render.pk, partial(mark_started, started=started))
        except (IntegrityError, transitions.IllegalTransition, Render.DoesNotExist):
            logger.exception("Render %s cannot take %s.", render.pk, started.render_id, extra=render.log_fields)
            return
        said = "Render %s is %s in %s: found by reconciliation."
        logger.info(said, render.pk, started.render_id, self.bucket_name, extra=render.log_fields)
        self.found += 1


def _presume_lost(render: Render, *, unreadable: str = "") -> None:
    """Transition of a row that was not found in its time; saving it schedules its next recheck.

    ``unreadable`` is why its bucket could not be scanned, if that is the case.
    """
    now = timezone.now()
    transitions.record_no_progress_file(render, at=now)
    if render.status != Render.Status.SUBMITTING:
        return
    if render.cancel_requested_at:
        transitions.mark_cancelled(render, at=now)
        return
    message = "Nothing was found of the render since its start was asked for, and its time limit has passed."
    reason = Render.FailureReason.LOST
    transitions.mark_failed(render, reason, error=" ".join(filter(None, [message, unreadable, render.error])), at=now)
