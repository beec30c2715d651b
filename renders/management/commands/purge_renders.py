from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import Q
from django.utils import timezone
from tqdm import tqdm

from renders import services
from renders.management.arguments import age
from renders.management.base import DatabaseCommand
from renders.models import Render, WebhookDelivery
from renders.remotion.errors import RemotionError


class Command(DatabaseCommand):
    help = "Deletes renders that ended long ago and webhook deliveries as old; frees idempotency keys after seven days."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--older-than", type=age, required=True, metavar="AGE", help="For example 90d, 36h, 30m.")
        parser.add_argument("--remote", action="store_true", help="Delete their files on S3 as well.")
        parser.add_argument("--dry-run", action="store_true", help="Only say how many there are.")

    def handle(self, *args: Any, older_than: Any, remote: bool, dry_run: bool, **options: Any) -> None:
        now = timezone.now()
        # A key that is still good must go on leading to its row.
        is_remembered = ~Q(idempotency_key="") & Q(created_at__gte=now - services.KEYS_LAST)
        is_remembered &= ~Q(idempotency_key__startswith=services.OWN_KEYS)
        ended = Render.objects.filter(finished_at__lt=now - older_than)
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
        # One by one, each in a transaction of its own: stopped half-way, the rest is there next time.
        ids = list(old.order_by("finished_at").values_list("pk", flat=True))
        for pk in tqdm(ids, leave=False, disable=None):
            render = Render.objects.defer("progress_json", "input_props").filter(pk=pk).first()
            if render is None:
                continue  # somebody else has deleted it
            try:
                files += services.delete_render(render, remote=remote)
                deleted += 1
            except (RemotionError, services.Conflict) as err:
                self.stderr.write(f"{render.id}: {err}")
                failed += 1
        deliveries = services.forget_deliveries(before=now - older_than)
        keys = services.forget_idempotency_keys()
        said = f" and {files} files" if remote else ""
        self.stdout.write(
            f"Deleted {deleted} renders{said}; freed {keys} idempotency keys; deleted {deliveries} webhook deliveries."
            + keeping
        )
        if failed:
            raise CommandError(f"{failed} could not be deleted.")
