"""Webhook messages in the admin: find, read, send again."""

from collections.abc import Iterable

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter

from renders.admin.audit import record
from renders.admin.dialog_button import button, go_to
from renders.admin.display import NOTHING, age, as_json, moment, preformatted
from renders.admin.ids import uuids
from renders.admin.labels import Tone, label
from renders.admin.links import row_link
from renders.admin.read_only import ReadOnlyAdmin
from renders.admin.tables import table
from renders.models import Render, WebhookAttempt, WebhookMessage
from renders.services.errors import Conflict
from renders.services.webhooks.body import message_data
from renders.services.webhooks.replay import replay

Status = WebhookMessage.Status
TONES: dict[str, Tone] = {Status.PENDING: "info", Status.DELIVERED: "success", Status.FAILED: "danger"}
SHOWN = 50
COLUMNS = ("When", "Took", "Answer", "Error", "Its body begins")


class EndpointFilter(AutocompleteSelectFilter):
    """One endpoint, found by typing its URL or owner."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[WebhookMessage]) -> QuerySet[WebhookMessage]:
        if not self.value():
            return queryset
        if not (ids := uuids([self.value()])):
            raise IncorrectLookupParameters
        return queryset.filter(endpoint__in=ids)


class StatusFilter(ChoicesDropdownFilter):
    """One status; each is read by an index."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[WebhookMessage]) -> QuerySet[WebhookMessage]:
        return queryset.filter(status=self.value()) if self.value() in Status.values else queryset


@admin.register(WebhookMessage)
class WebhookMessageAdmin(ReadOnlyAdmin):
    """Each event for each endpoint, with the requests that were made and their answers."""

    list_display = ("__str__", "type", "endpoint_link", "render_link", "state", "attempt_count", "created")
    list_select_related = ("endpoint", "endpoint__owner")
    list_filter = (("endpoint", EndpointFilter), ("status", StatusFilter))
    list_filter_submit = True
    search_fields = ("render__id",)
    search_help_text = "Our id of a render, or its renderId, in full"
    actions = ("send_again",)
    actions_detail = ("send_this_again",)
    fieldsets = (
        (None, {"fields": ("state", "next_shown", "type", "render_link", "endpoint_link", "url")}),
        ("Requests", {"fields": ("attempts_shown",)}),
        ("What it says", {"fields": ("body_shown",)}),
        ("Times", {"fields": (("created_at", "finished_at"),)}),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[WebhookMessage], search_term: str
    ) -> tuple[QuerySet[WebhookMessage], bool]:
        words = search_term.split()
        if not words:
            return queryset, False
        ids = Render.objects.matching_id(*words).values_list("pk", flat=True)
        return queryset.filter(render__in=list(ids)), False

    @button(
        "Send again",
        icon="send",
        asks="The worker sends the message again, under the same id: receivers recognise one that they have processed.",
        permission="send",
    )
    def send_this_again(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        message = get_object_or_404(WebhookMessage, pk=object_id)
        self._send(request, [message])
        return go_to(request, reverse("admin:renders_webhookmessage_change", args=[message.pk]))

    @admin.action(description="Send the selected messages again", permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[WebhookMessage]) -> None:
        self._send(request, queryset.select_related("render").order_by("pk"))

    def _send(self, request: HttpRequest, messages: Iterable[WebhookMessage]) -> None:
        sent, errors = [], []
        for message in messages:
            try:
                sent.append(replay(message))
            except Conflict as err:
                errors.append((message, err))
        record(request, sent, "Sent again.")
        for message in sent:
            if message.render:
                record(request, [message.render], f"Webhook {message} sent again.")
        self.tell_errors(request, errors)
        self.tell(request, f"{len(sent)} queued: the worker sends {'it' if len(sent) == 1 else 'them'}.")

    def has_send_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Whoever may change endpoints may send to them, as on the endpoints' page."""
        return request.user.has_perm("renders.change_webhookendpoint")

    @admin.display(description="Body")
    def body_shown(self, message: WebhookMessage) -> SafeString:
        return preformatted(as_json(message_data(message)))

    @admin.display(description="State")
    def state(self, message: WebhookMessage) -> SafeString:
        if message.status == Status.PENDING and message.attempt_count:
            return label("Sent again later", "warning", title=f"Next attempt: {moment(message.next_attempt_at)}")
        return label(message.get_status_display().partition(":")[0], TONES[message.status])

    @admin.display(description="Next attempt")
    def next_shown(self, message: WebhookMessage) -> str:
        return moment(message.next_attempt_at) if message.status == Status.PENDING else NOTHING

    @admin.display(description="Endpoint")
    def endpoint_link(self, message: WebhookMessage) -> SafeString:
        owner = message.endpoint.owner
        link = row_link(str(message.endpoint), "webhookendpoint", message.endpoint_id)
        return format_html("<span>{} of {}</span>", link, owner.get_username() if owner else "nobody")

    @admin.display(description="Render")
    def render_link(self, message: WebhookMessage) -> SafeString | str:
        if message.render_id is None:
            return NOTHING
        return row_link(f"{str(message.render_id)[:8]}…", "render", message.render_id)

    @admin.display(description="Created")
    def created(self, message: WebhookMessage) -> SafeString | str:
        return age(message.created_at)

    @admin.display(description="Requests and their answers")
    def attempts_shown(self, message: WebhookMessage) -> SafeString | str:
        attempts = list(message.attempts.all()[:SHOWN])
        return table("Requests", COLUMNS, map(_told, attempts)) if attempts else "None was made yet."


def _told(attempt: WebhookAttempt) -> tuple[object, ...]:
    """Return when a request was made, and what came of it."""
    is_success = not attempt.error and (attempt.status_code or 500) < 300
    answer = label(str(attempt.status_code or "None"), "success" if is_success else "danger")
    took = f"{attempt.duration_ms:,}\N{NO-BREAK SPACE}ms"
    return moment(attempt.at), took, answer, attempt.error, attempt.answer
