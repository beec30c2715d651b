"""Find renders whose start is unconfirmed, by looking for them in their buckets.

Each render's output is named after its row, and Remotion writes that name into ``progress.json``
as soon as it knows the composition. So a progress.json that names the output of an unconfirmed
row is that row's render. A unique constraint keeps two rows from one render.
"""

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import IntegrityError
from django.utils import timezone

from renders.models import BucketScan, Render, transitions
from renders.remotion import storage
from renders.remotion.errors import Unavailable
from renders.remotion.reader import Missing, fetch_progress
from renders.remotion.start import StartedRender
from renders.remotion.storage import StoredFile
from renders.remotion.target import LambdaTarget
from renders.services.idempotency import is_being_started
from renders.services.refresh.apply import change_render, mark_started
from renders.services.refresh.schedule import overdue_at

logger = logging.getLogger(__name__)

CLOCK_SKEW = timedelta(minutes=2)
"""How far S3's clock may be from ours."""

LEASE = timedelta(minutes=2)
UNREAD_FILES_DELAY = timedelta(minutes=10)
"""How much longer a row is looked for while files that may be its own cannot be read."""

RENDER_FILE = re.compile(r"^renders/(?P<render_id>[^/]+)/(?P<name>[^/]+)$")


@dataclass(frozen=True)
class Reconciliation:
    """What one call did."""

    unconfirmed: int
    """Rows that were looked for."""
    found: int
    requests: int
    """Requests to S3."""

    @property
    def summary(self) -> str:
        return f"Unconfirmed: {self.unconfirmed}, of which {self.found} found, with {self.requests} requests to S3."


def reconcile(*, max_requests: int = 20, is_stopped: Callable[[], bool] = lambda: False) -> Reconciliation:
    """Look for unconfirmed renders; a row whose time has passed is presumed lost.

    Makes no request if no row is unconfirmed, else about ``max_requests``; the next call goes on
    where this one ended. A row is presumed lost only after a complete scan of each bucket that it
    may be in, started after its time had passed. Raise SetupError or Unavailable if S3 cannot be
    read; the rows are then unchanged.
    """
    now = timezone.now()
    sought = [render for render in Render.objects.unconfirmed() if not is_being_started(render)]
    sought += Render.objects.lost_and_due(now).select_related("refresh_state")
    found = requests = 0
    buckets_of: dict[_Place, list[str]] = {}
    for place in {_place(render) for render in sought}:
        region, name = place
        buckets_of[place] = [name] if name else storage.list_buckets(LambdaTarget.in_region(region))
        requests += not name
    for region, name in {(place[0], name) for place, names in buckets_of.items() for name in names}:
        here = [render for render in sought if render.region == region and name in buckets_of[_place(render)]]
        scan = _Scan(LambdaTarget.in_region(region), name, here, max_requests - requests, is_stopped)
        scan.run()
        found += scan.found
        requests += scan.requests
    for render in sought:
        complete_at = _complete_at(buckets_of[_place(render)])
        # One that is presumed lost is looked for again when its recheck is due.
        due_at = render.refresh_state.next_refresh_at if render.is_terminal else overdue_at(render)
        if complete_at and complete_at >= due_at:
            change_render(render.pk, _presume_lost)
    return Reconciliation(len(sought), found, requests)


_Place = tuple[str, str]


def _place(render: Render) -> _Place:
    """Return the region and the bucket that the start named; without a bucket it may be any of Remotion's."""
    return render.region, render.configured_bucket


def _complete_at(bucket_names: list[str]) -> datetime | None:
    """Return the start of the oldest last complete scan; None if one bucket was never scanned."""
    if not bucket_names:
        return timezone.now()  # without a bucket there is no render
    scans = BucketScan.objects.filter(bucket_name__in=bucket_names)
    times = [scan.complete_at for scan in scans if scan.complete_at]
    return min(times) if len(times) == len(bucket_names) else None


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
        known = Render.objects.filter(bucket_name=scan.bucket_name, render_id__in=ids)
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
            change_render(render.pk, partial(mark_started, started=started))
        except (IntegrityError, transitions.IllegalTransition):
            logger.exception("Render %s cannot take %s.", render.pk, started.render_id)
            return
        logger.info("Render %s is %s in %s: found by reconciliation.", render.pk, started.render_id, self.bucket_name)
        self.found += 1


def _presume_lost(render: Render) -> None:
    """Transition of a row that a complete scan did not find; saving it schedules its next recheck."""
    now = timezone.now()
    transitions.record_no_progress_file(render, at=now)
    if render.status != Render.Status.SUBMITTING:
        return
    if render.cancel_requested_at:
        transitions.mark_cancelled(render, at=now)
        return
    message = "Nothing was found of the render since its start was asked for, and its time limit has passed."
    reason = Render.FailureReason.LOST
    transitions.mark_failed(render, reason, error=f"{message} {render.error}".strip(), at=now)
