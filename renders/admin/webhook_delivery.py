"""Webhook deliveries in the admin: find, read, process again."""

from typing import cast

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from renders.admin.audit import record
from renders.admin.display import NOTHING, age, as_json, preformatted
from renders.admin.labels import label
from renders.admin.links import list_link
from renders.admin.read_only import ReadOnlyAdmin
from renders.models import WebhookDelivery, WebhookDeliveryQuerySet
from renders.services.incoming_webhooks import process_deliveries


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    """What Remotion told us. Signed deliveries only: an unsigned one is counted in the log and not stored."""

    list_display = ("__str__", "received", "render_link", "state", "error")
    list_filter = ("is_processed", "received_at")
    search_fields = ("our_id", "render_id")
    search_help_text = "Our id of a render, or its renderId, in full"
    actions = ("process_again",)
    fields = (
        "received_at",
        "render_link",
        "our_id",
        "state",
        "processed_at",
        "error",
        "headers_shown",
        "body_shown",
    )

    def get_queryset(self, request: HttpRequest) -> WebhookDeliveryQuerySet:
        deliveries = WebhookDelivery.objects.all()
        return deliveries.defer("body") if self.is_list(request) else deliveries

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[WebhookDelivery], search_term: str
    ) -> tuple[QuerySet[WebhookDelivery], bool]:
        deliveries = cast("WebhookDeliveryQuerySet", queryset)
        return (deliveries.matching_id(*search_term.split()) if search_term.strip() else deliveries), False

    @admin.action(description="Process the selected deliveries again", permissions=["view"])
    def process_again(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> None:
        deliveries = list(queryset.defer(None).order_by("pk"))
        process_deliveries(deliveries)
        record(request, deliveries, "Processed again.")
        self.tell_errors(request, [(delivery.pk, delivery.error) for delivery in deliveries if delivery.error])
        processed = sum(delivery.is_processed for delivery in deliveries)
        failed = len(deliveries) - processed
        self.tell(request, f"{processed} processed.", f"{failed} failed." if failed else "")

    @admin.display(description="Render")
    def render_link(self, delivery: WebhookDelivery) -> SafeString | str:
        """Link to the renders that have the renderId or our id."""
        if not delivery.render_id:
            return NOTHING
        ids = [delivery.render_id, *([str(delivery.our_id)] if delivery.our_id else [])]
        return list_link(delivery.render_id, "render", **{SEARCH_VAR: " ".join(ids)})

    @admin.display(description="Received")
    def received(self, delivery: WebhookDelivery) -> SafeString | str:
        return age(delivery.received_at)

    @admin.display(description="State")
    def state(self, delivery: WebhookDelivery) -> SafeString:
        if delivery.is_processed:
            return label("Processed", "success")
        if delivery.processed_at is None:
            return label("Received", "info", title="It has not been processed yet.")
        return label("Failed", "danger", title="Process it again, or leave it: the render is refreshed by itself.")

    @admin.display(description="Headers")
    def headers_shown(self, delivery: WebhookDelivery) -> SafeString:
        return preformatted(as_json(delivery.headers))

    @admin.display(description="Body")
    def body_shown(self, delivery: WebhookDelivery) -> SafeString | str:
        return preformatted(delivery.body) if delivery.body else NOTHING
