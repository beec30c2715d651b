"""Finding renders whose start was left in doubt, by looking for them in the bucket.

Each render's output is named after its row, and Remotion writes that name into ``progress.json``
as soon as it knows the composition. So a file there that carries the id of a row in doubt is
that row's render. The unique constraint on bucket and renderId keeps two rows from one render.
"""

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from django.db import IntegrityError

from renders.models import BucketScan, IllegalTransition, Render
from renders.remotion import client
from renders.remotion.client import StartedRender, StoredFile
from renders.remotion.config import RemotionConfig
from renders.services.refresh import refresh_renders
from renders.services.rows import change, take_start
from renders.services.start import is_in_call

logger = logging.getLogger(__name__)

CLOCK_SKEW = timedelta(minutes=2)
"""How far S3's clock may be off ours."""

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


def adopt_in_doubt(*, most_requests: int = 20) -> Adoption:
    """Looks for the renders of rows in doubt and gives each its own; rows whose time is up are lost.

    Asks S3 nothing while no row is in doubt, and at most ``most_requests`` times otherwise: the
    next call goes on where this one ended. Raises SetupError or Unavailable as a reading does.
    """
    in_doubt = [render for render in Render.objects.in_doubt() if not is_in_call(render)]
    adopted = requests = 0
    for region in {render.region for render in in_doubt}:
        config = replace(RemotionConfig.from_settings(), region=region)
        search = _Search(config, [render for render in in_doubt if render.region == region], most_requests - requests)
        search.run()
        adopted += search.adopted
        requests += search.requests
    for _ in refresh_renders(Render.objects.in_doubt().filter(pk__in=[render.pk for render in in_doubt])):
        pass  # reads nothing from AWS; says which of them are lost
    return Adoption(len(in_doubt), adopted, requests)


class _Search:
    """One bounded walk through the bucket of a region, counting what it asks."""

    def __init__(self, config: RemotionConfig, renders: list[Render], most_requests: int) -> None:
        self.config = config
        self.sought = {render.out_name: render for render in renders}
        self.since = min(render.submitted_at or render.created_at for render in renders) - CLOCK_SKEW
        self.most_requests = most_requests
        self.requests = 0
        self.adopted = 0

    def run(self) -> None:
        self.requests += not self.config.bucket_name
        bucket = client.find_bucket(self.config)
        if bucket is None:
            logger.warning("There is no single bucket of Remotion's in %s to look through.", self.config.region)
            return
        scan, _ = BucketScan.objects.get_or_create(bucket_name=bucket)
        while self.sought and self.requests < self.most_requests:
            self.requests += 1
            files, position = client.list_renders(self.config, bucket_name=bucket, after=scan.position)
            done = self._look_through(bucket, files)
            scan.position = position if done else scan.position
            scan.save(update_fields=["position"])
            if not position or not done:
                return

    def _look_through(self, bucket: str, files: Iterable[StoredFile]) -> bool:
        """Whether all of the files could be looked at within the requests that are left."""
        fresh: dict[str, datetime] = {}
        for file in files:
            match = RENDER_FILE.match(file.key)
            if match and match["name"] in self.sought:
                self._adopt(match["name"], StartedRender(match["render_id"], bucket))
            elif match and match["name"] == "progress.json" and file.last_modified >= self.since:
                fresh[match["render_id"]] = file.last_modified
        known = Render.objects.filter(bucket_name=bucket, render_id__in=fresh).values_list("render_id", flat=True)
        for render_id in sorted(fresh.keys() - set(known)):
            if self.requests >= self.most_requests:
                return False
            self.requests += 1
            reading = client.read_progress(self.config, bucket_name=bucket, render_id=render_id)
            metadata = (reading.progress_json.get("renderMetadata") if reading else None) or {}
            if metadata.get("outName") in self.sought:
                self._adopt(metadata["outName"], StartedRender(render_id, bucket))
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
