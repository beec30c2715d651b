"""Finding renders whose start was left in doubt, by looking for them in the bucket.

Each render's output is named after its row, and Remotion writes that name into ``progress.json``
as soon as it knows the composition. So a file there that carries the id of a row in doubt is
that row's render. The unique constraint on bucket and renderId keeps two rows from one render.
"""

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from django.db import IntegrityError
from django.db.models import Q
from django.utils import timezone

from renders.models import BucketScan, IllegalTransition, Render
from renders.remotion import storage
from renders.remotion.client import StartedRender
from renders.remotion.config import RemotionConfig
from renders.remotion.errors import Unavailable
from renders.remotion.reader import read_progress
from renders.remotion.storage import StoredFile
from renders.services.findings import overdue_at
from renders.services.rows import change, take_start
from renders.services.start import is_in_call

logger = logging.getLogger(__name__)

CLOCK_SKEW = timedelta(minutes=2)
"""How far S3's clock may be off ours."""

CLAIM = timedelta(minutes=2)
"""How long a walk is one process's own, unless it ends before."""

GAPS_HOLD_UP = timedelta(minutes=10)
"""How much longer a row is sought where files that may be its own cannot be read."""

RENDER_FILE = re.compile(r"^renders/(?P<render_id>[^/]+)/(?P<name>[^/]+)$")


@dataclass(frozen=True)
class Adoption:
    """What one search did."""

    in_doubt: int
    """Rows there were to look for."""
    adopted: int
    requests: int
    """Requests to S3."""

    @property
    def summary(self) -> str:
        return f"In doubt: {self.in_doubt}, of which {self.adopted} adopted, with {self.requests} requests to S3."


def adopt_in_doubt(*, most_requests: int = 20, is_stopped: Callable[[], bool] = lambda: False) -> Adoption:
    """Looks for the renders of rows in doubt and gives each its own; rows whose time is up are lost.

    Asks S3 nothing while no row is in doubt, and about ``most_requests`` times otherwise: the
    next call goes on where this one ended. A row is lost only when a whole walk through each
    bucket that it may be in, begun after its time was up, has not found it. Raises SetupError or
    Unavailable as a reading does; the rows are then as they were.
    """
    now = timezone.now()
    in_doubt = [render for render in Render.objects.in_doubt() if not is_in_call(render)]
    in_doubt += Render.objects.given_up(now).select_related("refresh")
    adopted = requests = 0
    buckets_of: dict[_Asked, list[str]] = {}
    for asked in {_asked(render) for render in in_doubt}:
        # Without a configured one, the function looked for a bucket as it is done here.
        region, name = asked
        buckets_of[asked] = [name] if name else storage.list_buckets(_config_for(region))
        requests += not name
    for region, name in {(asked[0], name) for asked, names in buckets_of.items() for name in names}:
        sought = [render for render in in_doubt if render.region == region and name in buckets_of[_asked(render)]]
        search = _Search(_config_for(region), name, sought, most_requests - requests, is_stopped)
        search.run()
        adopted += search.adopted
        requests += search.requests
    for render in in_doubt:
        walked_at = _walked_at(buckets_of[_asked(render)])
        # One that is lost already is looked for again when it is due.
        due_at = render.refresh.next_refresh_at if render.is_terminal else overdue_at(render)
        if walked_at and walked_at >= due_at:
            change(render.pk, _lose)
    return Adoption(len(in_doubt), adopted, requests)


_Asked = tuple[str, str]


def _asked(render: Render) -> _Asked:
    """The region and the bucket that the start was asked to use; without a bucket, any of Remotion's."""
    return render.region, render.configured_bucket


def _config_for(region: str) -> RemotionConfig:
    return replace(RemotionConfig.from_settings(), region=region)


def _walked_at(bucket_names: list[str]) -> datetime | None:
    """Since when whatever is in these buckets has been seen."""
    if not bucket_names:
        return timezone.now()  # no bucket, no render
    walks = BucketScan.objects.filter(bucket_name__in=bucket_names)
    times = [scan.walked_at for scan in walks if scan.walked_at]
    return min(times) if len(times) == len(bucket_names) else None


class _Search:
    """One bounded walk through a bucket, counting what it asks."""

    def __init__(
        self,
        config: RemotionConfig,
        bucket_name: str,
        renders: list[Render],
        most_requests: int,
        is_stopped: Callable[[], bool],
    ) -> None:
        self.config = config
        self.bucket_name = bucket_name
        self.sought = {render.out_name: render for render in renders}
        self.since = min(render.submitted_at or render.created_at for render in renders) - CLOCK_SKEW
        self.most_requests = most_requests
        self.is_stopped = is_stopped
        self.requests = 0
        self.adopted = 0

    def run(self) -> None:
        scan = _claim(self.bucket_name)
        if scan is None:
            return  # another process is walking
        try:
            self._walk(scan)
        finally:
            scan.claimed_until = None
            scan.save()

    def _walk(self, scan: BucketScan) -> None:
        while self.sought and self._may_ask():
            if not scan.position:
                scan.began_at, scan.has_gaps = timezone.now(), False
            self.requests += 1
            files, end = storage.list_renders(self.config, bucket_name=scan.bucket_name, after=scan.position)
            if not self._look_through(scan, files):
                return
            scan.position = end
            if not end:
                hold_up = GAPS_HOLD_UP if scan.has_gaps else timedelta()
                scan.walked_at = scan.began_at - hold_up if scan.began_at else None
                return

    def _may_ask(self) -> bool:
        return self.requests < self.most_requests and not self.is_stopped()

    def _look_through(self, scan: BucketScan, files: Iterable[StoredFile]) -> bool:
        """Whether all of the files could be looked at; moves the position behind those that were."""
        matches = {file: match for file in files if (match := RENDER_FILE.match(file.key))}
        ids = {match["render_id"] for match in matches.values()}
        known = Render.objects.filter(bucket_name=scan.bucket_name, render_id__in=ids)
        known_ids = set(known.values_list("render_id", flat=True))
        for file, match in matches.items():
            started = StartedRender(match["render_id"], scan.bucket_name)
            if match["name"] in self.sought:
                self._adopt(match["name"], started)
            elif match["name"] == "progress.json" and self._may_be_sought(file, started, known_ids):
                if not self._may_ask():
                    return False
                scan.has_gaps |= not self._read(started)
            scan.position = file.key
        return True

    def _may_be_sought(self, file: StoredFile, started: StartedRender, known_ids: set[str]) -> bool:
        return file.last_modified >= self.since and started.render_id not in known_ids

    def _read(self, started: StartedRender) -> bool:
        """Adopts the render if it is sought; whether its file could be read."""
        self.requests += 1
        try:
            reading = read_progress(self.config, bucket_name=started.bucket_name, render_id=started.render_id)
        except Unavailable as err:
            logger.warning("%s is left out of the search: %s", started, err)
            return False
        metadata = (reading.progress_json or {}).get("renderMetadata")
        out_name = metadata.get("outName") if isinstance(metadata, dict) else None
        if isinstance(out_name, str) and out_name in self.sought:
            self._adopt(out_name, started)
        return True

    def _adopt(self, out_name: str, started: StartedRender) -> None:
        render = self.sought.pop(out_name)
        try:
            change(render.pk, partial(take_start, started=started))
        except (IntegrityError, IllegalTransition):
            logger.exception("Render %s cannot take %s.", render.pk, started.render_id)
            return
        logger.info("Render %s is %s in %s: adopted.", render.pk, started.render_id, started.bucket_name)
        self.adopted += 1


def _lose(render: Render) -> None:
    """Lost, or looked for once more in vain: saving it reckons when to look again, if ever."""
    now = timezone.now()
    render.record_nothing_yet(at=now)
    if render.status != Render.Status.SUBMITTING:
        return
    if render.cancel_requested_at:
        render.mark_cancelled(at=now)
        return
    message = "Nothing was found of the render since its start was asked for, and its time limit has passed."
    render.mark_failed(Render.FailureReason.LOST, error=f"{message} {render.error}".strip(), at=now)


def _claim(bucket: str) -> BucketScan | None:
    """The walk through this bucket, unless another process is at it."""
    BucketScan.objects.get_or_create(bucket_name=bucket)
    now = timezone.now()
    free = BucketScan.objects.filter(Q(claimed_until__isnull=True) | Q(claimed_until__lte=now), bucket_name=bucket)
    return BucketScan.objects.get(bucket_name=bucket) if free.update(claimed_until=now + CLAIM) else None
