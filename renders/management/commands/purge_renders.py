from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import Q
from django.utils import timezone
from tqdm import tqdm

from renders.management.arguments import age
from renders.management.base import DatabaseCommand
from renders.models import Render, WebhookDelivery
from renders.remotion.errors import RemotionError
from renders.services.errors import Conflict
from renders.services.idempotency import IDEMPOTENCY_KEY_TTL, RESERVED_KEY_PREFIX, free_expired_keys
from renders.services.retention import delete_deliveries, delete_render


class Command(DatabaseCommand):
    help = "Deletes renders that ended long ago and webhook deliveries as old; frees idempotency keys after seven days."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--older-than", type=age, required=True, metavar="AGE", help="For example 90d, 36h, 30m.")
        parser.add_argument(
            "--remote", action="store_true", help="Delete their files on S3 too: output, progress, input props."
        )
        parser.add_argument("--dry-run", action="store_true", help="Only say how many there are.")

    def handle(self, *args: Any, older_than: Any, remote: bool, dry_run: bool, **options: Any) -> None:
        now = timezone.now()
        # A key that has not expired must still lead to its row.
        is_remembered = ~Q(idempotency_key="") & Q(created_at__gte=now - IDEMPOTENCY_KEY_TTL)
        is_remembered &= ~Q(idempotency_key__startswith=RESERVED_KEY_PREFIX)
        ended = Render.objects.ended_before(now - older_than)
        old = ended.exclude(is_remembered)
        kept = ended.filter(is_remembered).count()
        keeping = f" {kept} are kept, because their Idempotency-Key is still good." if kept else ""
        if dry_run:
            deliveries = WebhookDelivery.objects.filter(received_at__lt=now - older_than).count()
            said = " with their files" if remote else ""
            self.stdout.write(
                f"{old.count()} renders{said} and {deliveries} webhook deliveries would be deleted.{keeping}"
            )
            return
        deleted = files = failed = 0
        # Each in a transaction of its own: a run that is stopped goes on with the next one.
        ids = list(old.order_by("finished_at").values_list("pk", flat=True))
        for pk in tqdm(ids, leave=False, disable=None):
            render = Render.objects.defer("input_props").filter(pk=pk).first()
            if render is None:
                continue  # deleted by another process
            try:
                files += delete_render(render, remote=remote)
                deleted += 1
            except (RemotionError, Conflict) as err:
                self.stderr.write(f"{render.id}: {err}")
                failed += 1
        deliveries = delete_deliveries(before=now - older_than)
        keys = free_expired_keys()
        said = f" and {files} files" if remote else ""
        self.stdout.write(
            f"Deleted {deleted} renders{said}; freed {keys} idempotency keys; deleted {deliveries} webhook deliveries."
            + keeping
        )
        if failed:
            raise CommandError(f"{failed} could not be deleted.")
