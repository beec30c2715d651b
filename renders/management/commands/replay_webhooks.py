from typing import Any

from django.core.management.base import CommandError, CommandParser

from renders.management.arguments import positive_int
from renders.management.base import DatabaseCommand
from renders.models import WebhookDelivery, WebhookDeliveryQuerySet
from renders.services.incoming_webhooks import process_deliveries

BATCH_SIZE = 100
"""Deliveries whose renders are refreshed together."""


class Command(DatabaseCommand):
    help = "Processes webhook deliveries again, in the order in which they were received."

    def add_arguments(self, parser: CommandParser) -> None:
        chosen = parser.add_mutually_exclusive_group(required=True)
        chosen.add_argument("--failed", action="store_true", help="All that were not processed to the end.")
        chosen.add_argument(
            "--id", action="append", dest="ids", type=positive_int, metavar="ID", help="This one; may be given again."
        )

    def handle(self, *args: Any, failed: bool, ids: list[int] | None, **options: Any) -> None:
        deliveries = WebhookDelivery.objects.failed() if failed else _chosen(ids or [])
        processed = left = 0
        ids_in_order = list(deliveries.order_by("pk").values_list("pk", flat=True))
        for first in range(0, len(ids_in_order), BATCH_SIZE):
            batch = WebhookDelivery.objects.in_bulk(ids_in_order[first : first + BATCH_SIZE])
            process_deliveries([batch[pk] for pk in sorted(batch)])
            for pk, delivery in sorted(batch.items()):
                if delivery.error:
                    self.stderr.write(f"{pk}: {delivery.error}")
                processed += delivery.is_processed
                left += not delivery.is_processed
        self.stdout.write(f"Processed {processed} deliveries.")
        if left:
            raise CommandError(f"{left} could not be processed.")


def _chosen(ids: list[int]) -> WebhookDeliveryQuerySet:
    """Return the deliveries with these ids. Raise CommandError for an id that no delivery has."""
    missing = [pk for pk in ids if not WebhookDelivery.objects.filter(pk=pk).exists()]
    if missing:
        raise CommandError(f"There is no delivery {', '.join(map(str, missing))}.")
    return WebhookDelivery.objects.filter(pk__in=ids)
