from typing import Any

from django.core.management.base import CommandError, CommandParser

from renders import services
from renders.management.arguments import positive_int
from renders.management.base import DatabaseCommand
from renders.models import WebhookDelivery, WebhookDeliveryQuerySet


class Command(DatabaseCommand):
    help = "Processes webhook deliveries again, in the order in which they came."

    def add_arguments(self, parser: CommandParser) -> None:
        chosen = parser.add_mutually_exclusive_group(required=True)
        chosen.add_argument("--failed", action="store_true", help="All that were verified and not processed.")
        chosen.add_argument(
            "--id", action="append", dest="ids", type=positive_int, metavar="ID", help="This one; may be given again."
        )

    def handle(self, *args: Any, failed: bool, ids: list[int] | None, **options: Any) -> None:
        deliveries = WebhookDelivery.objects.failed() if failed else _chosen(ids or [])
        processed = left = 0
        for pk in list(deliveries.order_by("pk").values_list("pk", flat=True)):
            try:
                delivery = services.process_delivery(WebhookDelivery.objects.get(pk=pk))
            except (services.Conflict, WebhookDelivery.DoesNotExist) as err:
                self.stderr.write(f"{pk}: {err}")
                left += 1
                continue
            if delivery.error:
                self.stderr.write(f"{pk}: {delivery.error}")
            processed += delivery.processed
            left += not delivery.processed
        self.stdout.write(f"Processed {processed} deliveries.")
        if left:
            raise CommandError(f"{left} could not be processed.")


def _chosen(ids: list[int]) -> WebhookDeliveryQuerySet:
    """The deliveries with these ids; raises CommandError for an id that there is not."""
    missing = [pk for pk in ids if not WebhookDelivery.objects.filter(pk=pk).exists()]
    if missing:
        raise CommandError(f"There is no delivery {', '.join(map(str, missing))}.")
    return WebhookDelivery.objects.filter(pk__in=ids)
