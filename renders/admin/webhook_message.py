"""Webhook messages in the admin: find, read, send again."""

import contextlib
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from renders.admin.display import NOTHING, as_json, preformatted
from renders.admin.read_only import ReadOnlyAdmin
from renders.models import WebhookAttempt, WebhookMessage
from renders.services.errors import Conflict
from renders.services.webhooks.body import message_data
from renders.services.webhooks.replay import replay


@admin.register(WebhookMessage)
class WebhookMessageAdmin(ReadOnlyAdmin):
    """Each event for each endpoint, with the requests that were made and their answers."""

    list_display = ("__str__", "type", "endpoint", "status", "attempt_count", "created_at", "finished_at")
    list_select_related = ("endpoint",)
    list_filter = ("status",)
    search_fields = ("render__id",)
    search_help_text = "Our id of a render, in full."
    actions = ("send_again",)
    fields = (
        "type",
        "endpoint",
        "url",
        "render",
        "status",
        "attempt_count",
        "next_attempt_at",
        "created_at",
        "finished_at",
        "body_shown",
        "attempts_shown",
    )

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "endpoint__id__exact" or super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[WebhookMessage], search_term: str
    ) -> tuple[QuerySet[WebhookMessage], bool]:
        ids = _uuids(search_term)
        return (queryset.filter(render__in=ids) if search_term.strip() else queryset), False

    @admin.action(description="Send the selected messages again", permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[WebhookMessage]) -> None:
        count, errors = 0, []
        for message in queryset.order_by("pk"):
            try:
                replay(message)
                count += 1
            except Conflict as err:
                errors.append((message, err))
        self.tell_errors(request, errors)
        self.tell(request, f"{count} queued: the worker sends them.")

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Whoever may change endpoints may send to them, as on the endpoints' page."""
        return request.user.has_perm("renders.change_webhookendpoint")

    @admin.display(description="Body")
    def body_shown(self, message: WebhookMessage) -> SafeString:
        return preformatted(as_json(message_data(message)))

    @admin.display(description="Attempts")
    def attempts_shown(self, message: WebhookMessage) -> SafeString | str:
        rows = format_html_join("", "<dt>{}</dt><dd>{}</dd>", map(_told, message.attempts.all()))
        return format_html("<dl>{}</dl>", rows) if rows else NOTHING


def _told(attempt: WebhookAttempt) -> tuple[str, SafeString]:
    """Return when an attempt was made, and what was answered."""
    answer = f"{attempt.status_code or ''} {attempt.error}".strip()
    return f"{attempt.at:%Y-%m-%d %H:%M:%S}, {attempt.duration_ms} ms", preformatted(f"{answer}\n{attempt.answer}")


def _uuids(text: str) -> list[UUID]:
    """Return the words that are UUIDs; others are no ids of renders."""
    found = []
    for word in text.split():
        with contextlib.suppress(ValueError):
            found.append(UUID(word))
    return found
