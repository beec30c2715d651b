"""Webhook deliveries in the admin: read, and process again."""

from collections import Counter

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from renders.admin.display import NOTHING, as_json, preformatted
from renders.models import WebhookDelivery, WebhookDeliveryQuerySet
from renders.services.incoming_webhooks import process_delivery


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(admin.ModelAdmin):
    """Read-only: deliveries are written by Remotion."""

    list_display = ("__str__", "received_at", "valid", "processed", "processed_at", "error")
    list_filter = ("valid", "processed", ("error", admin.EmptyFieldListFilter), "received_at")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("body",)
    search_help_text = "Our id or the renderId."
    actions = ("process_again",)
    fields = ("received_at", "valid", "processed", "processed_at", "error", "headers_shown", "body_shown")

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookDelivery]:
        return super().get_queryset(request).defer("body")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: WebhookDelivery | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: WebhookDelivery | None = None) -> bool:
        return False

    @admin.action(description="Process again", permissions=["view"])
    def process_again(self, request: HttpRequest, queryset: WebhookDeliveryQuerySet) -> None:
        counts = Counter({"rejected and left alone": queryset.rejected().count()})
        for delivery in queryset.filter(valid=True).order_by("pk"):
            processed = process_delivery(delivery)
            counts["processed" if processed.processed else "failed"] += 1
            if processed.error:
                self.message_user(request, f"{processed}: {processed.error}", messages.WARNING)
        said = ", ".join(f"{count} {result}" for result, count in counts.items() if count)
        self.message_user(request, f"Deliveries: {said}.", messages.INFO)

    @admin.display(description="Headers")
    def headers_shown(self, delivery: WebhookDelivery) -> SafeString:
        return preformatted(as_json(delivery.headers))

    @admin.display(description="Body")
    def body_shown(self, delivery: WebhookDelivery) -> SafeString | str:
        return preformatted(delivery.body) if delivery.body else NOTHING
