from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import OperationalError
from django.utils import timezone
from tqdm import tqdm

from renders.management.arguments import age
from renders.management.base import DatabaseCommand
from renders.models import Render, WebhookDelivery
from renders.remotion.errors import RemotionError
from renders.services.errors import Conflict
from renders.services.idempotency import free_expired_keys
from renders.services.retention import (
    delete_batches,
    delete_deliveries,
    delete_events,
    delete_render,
    purgeable_batches,
    purgeable_events,
    purgeable_renders,
    renders_kept_for_their_key,
)


class Command(DatabaseCommand):
    help = (
        "Deletes renders that ended long ago, batches of which none is left, and events with their webhooks and"
        " webhook deliveries as old; frees idempotency keys after seven days."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--older-than", type=age, required=True, metavar="AGE", help="For example 90d, 36h, 30m.")
        parser.add_argument(
            "--remote", action="store_true", help="Delete their files on S3 too: output, progress, input props."
        )
        parser.add_argument(
            "--events-older-than",
            type=age,
            metavar="AGE",
            help="Another age for events and the webhooks that told them: they take more room than renders.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Only say how many there are.")

    def handle(
        self,
        *args: Any,
        older_than: timedelta,
        events_older_than: timedelta | None,
        remote: bool,
        dry_run: bool,
        **options: Any,
    ) -> None:
        before = timezone.now() - older_than
        events_before = timezone.now() - (events_older_than or older_than)
        kept = renders_kept_for_their_key(ended_before=before).count()
        keeping = f" {kept} are kept, because their Idempotency-Key is still good." if kept else ""
        if dry_run:
            self._say_what_would_be_deleted(before, events_before, remote=remote, keeping=keeping)
            return
        deleted, files, failed = self._delete_renders(before, remote=remote)
        batches = delete_batches(completed_before=before)
        deliveries = delete_deliveries(before=before)
        events = delete_events(before=events_before)
        keys = free_expired_keys()
        said = f" and {files} files" if remote else ""
        self.stdout.write(
            f"Deleted {deleted} renders{said} and {batches} batches; freed {keys} idempotency keys;"
            f" deleted {deliveries} webhook deliveries and {events} events." + keeping
        )
        if failed:
            raise CommandError(f"{failed} could not be deleted.")

    def _say_what_would_be_deleted(
        self, before: datetime, events_before: datetime, *, remote: bool, keeping: str
    ) -> None:
        renders = purgeable_renders(ended_before=before).count()
        batches = purgeable_batches(completed_before=before).count()
        deliveries = WebhookDelivery.objects.filter(received_at__lt=before).count()
        events = purgeable_events(before=events_before).count()
        said = " with their files" if remote else ""
        self.stdout.write(
            f"{renders} renders{said}, {batches} batches without renders, {deliveries} webhook deliveries and {events}"
            f" events would be deleted.{keeping}"
        )

    def _delete_renders(self, before: datetime, *, remote: bool) -> tuple[int, int, int]:
        """Return how many renders and files were deleted, and how many renders could not be."""
        deleted = files = failed = 0
        ids = list(purgeable_renders(ended_before=before).order_by("finished_at").values_list("pk", flat=True))
        # Each in a transaction of its own: a run that is stopped goes on with the next one.
        for pk in tqdm(ids, leave=False, disable=None):
            render = Render.objects.defer("input_props").filter(pk=pk).first()
            if render is None:
                continue  # deleted by another process
            try:
                files += delete_render(render, remote=remote)
                deleted += 1
            except (RemotionError, Conflict, OperationalError) as err:
                self.stderr.write(f"{render.id}: {err}")
                failed += 1
        return deleted, files, failed
