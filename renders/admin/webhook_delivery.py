"""Webhook deliveries in the admin: find, read, process again."""

from typing import cast

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from renders.admin.display import NOTHING, as_json, preformatted
from renders.admin.read_only import ReadOnlyAdmin
from renders.models import WebhookDelivery, WebhookDeliveryQuerySet
from renders.services.incoming_webhooks import process_deliveries


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    """Signed deliveries only: an unsigned one is counted in the log and not stored."""

    list_display = ("__str__", "received_at", "render_link", "is_processed", "error")
    list_filter = ("is_processed", "received_at")
    search_fields = ("our_id", "render_id")
    search_help_text = "Our id of a render, or its renderId, in full."
    actions = ("process_again",)
    fields = (
        "received_at",
        "render_link",
        "our_id",
        "is_processed",
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
        address = f"{reverse('admin:renders_render_changelist')}?{urlencode({SEARCH_VAR: ' '.join(ids)})}"
        return format_html('<a href="{}">{}</a>', address, delivery.render_id)

    @admin.display(description="Headers")
    def headers_shown(self, delivery: WebhookDelivery) -> SafeString:
        return preformatted(as_json(delivery.headers))

    @admin.display(description="Body")
    def body_shown(self, delivery: WebhookDelivery) -> SafeString | str:
        return preformatted(delivery.body) if delivery.body else NOTHING
