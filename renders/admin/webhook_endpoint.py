"""Webhook endpoints in the admin: find, make, change; ping, replay."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from renders.admin.audit import record
from renders.admin.dialog_button import button, go_to
from renders.admin.display import NOTHING, age, moment
from renders.admin.filters import OwnerFilter
from renders.admin.labels import label
from renders.admin.links import list_link, owner_link, row_link
from renders.admin.read_only import TableAdmin
from renders.admin.tables import table
from renders.admin.webhook_message import TONES
from renders.models import Event, WebhookEndpoint, WebhookEndpointQuerySet
from renders.remotion.errors import SetupError
from renders.services.errors import Conflict, InvalidRequest
from renders.services.webhooks.endpoints import check_endpoint, create_endpoint, require_room, update_endpoint
from renders.services.webhooks.replay import ping, replay_failed
from renders.services.webhooks.schedule import DISABLE_AFTER
from renders.services.webhooks.secrets import secret_of

REPLAY_PERIOD = timedelta(days=7)
NEWEST = 10
COLUMNS = ("Message", "Type", "State", "Created")


class WebhookEndpointForm(forms.ModelForm):
    events = forms.MultipleChoiceField(
        choices=[(type_.value, f"{type_.value}: {type_.label}") for type_ in Event.Type],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Which events it is told of. None: all but render.progressed.",
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("owner", "url", "description", "events", "enabled")
        widgets = {"url": UnfoldAdminTextInputWidget, "description": UnfoldAdminTextInputWidget}
        help_texts = {
            "owner": "Whose renders it is told of.",
            "url": "Messages are posted to it, signed by the Standard Webhooks specification.",
            "description": "What it is for.",
            "enabled": "Disabling it ends the messages that wait; they can be sent again when it is enabled.",
        }

    def clean(self) -> None:
        """Say beside each field what the API would say."""
        super().clean()
        is_new = self.instance.pk is None or self.instance._state.adding
        if is_new:
            self._require_owner()
        if (is_new or not self.instance.is_for_render_urls) and not self.cleaned_data.get("url"):
            self.add_error("url", "Give a URL.")
        draft = WebhookEndpoint(url=self.cleaned_data.get("url") or "", events=self.cleaned_data.get("events") or [])
        try:
            check_endpoint(draft)
        except InvalidRequest as err:
            for name, sentence in err.errors.items():
                self.add_error(name, sentence)

    def _require_owner(self) -> None:
        owner = self.cleaned_data.get("owner")
        if not owner:
            self.add_error("owner", "Choose whose events it gets.")
            return
        try:
            require_room(owner)
            secret_of(WebhookEndpoint(owner=owner))
        except (Conflict, SetupError) as err:
            self.add_error(None, str(err))


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(TableAdmin):
    """The secret is not shown: only its owner needs it, and reads it through the API."""

    form = WebhookEndpointForm
    list_display = ("__str__", "owner_shown", "state", "problem", "events_shown", "messages_link")
    list_select_related = ("owner",)
    list_filter = (("owner", OwnerFilter), "enabled")
    list_filter_submit = True
    search_fields = ("owner__username", "owner__email", "url", "description")
    search_help_text = "A part of the owner's name or address, of the URL or description"
    autocomplete_fields = ("owner",)
    actions = ("enable", "disable", "ping", "replay_failed")
    actions_detail = ("ping_this", "replay_failed_of_this")
    readonly_fields = ("state", "problem", "newest_messages", "previous_secret_until", "created_at", "owner_shown")
    fieldsets = (
        (None, {"fields": ("owner", "url", "description", "events", "enabled")}),
        ("State", {"fields": ("state", "problem", "newest_messages")}),
        ("Times", {"fields": (("created_at", "previous_secret_until"),)}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> Any:
        if obj is None:
            return self.readonly_fields
        # The theme shows a reference that is read-only as a name; this is a link.
        return (*(("url",) if obj.is_for_render_urls else ()), *self.readonly_fields)

    def get_fieldsets(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> Any:
        """Show a new one's form only; the owner of another one is a link."""
        if obj is None:
            return self.fieldsets[:1]
        return [(None, {"fields": ("owner_shown", *self.fieldsets[0][1]["fields"][1:])}), *self.fieldsets[1:]]

    def save_model(self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool) -> None:
        """Save by the service, as the API does."""
        fields = {name: form.cleaned_data[name] for name in form.changed_data if name != "owner"}
        if change:
            update_endpoint(obj, **fields)
        else:
            created = create_endpoint(owner=obj.owner, **{"url": obj.url, **fields})
            obj.pk, obj._state.adding = created.pk, False

    @admin.action(description="Enable the selected endpoints", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: WebhookEndpointQuerySet) -> None:
        self._each(request, queryset, lambda endpoint: update_endpoint(endpoint, enabled=True), "enabled.")

    @admin.action(description="Disable the selected endpoints", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: WebhookEndpointQuerySet) -> None:
        self._each(request, queryset, lambda endpoint: update_endpoint(endpoint, enabled=False), "disabled.")

    @admin.action(description="Ping the selected endpoints", permissions=["change"])
    def ping(self, request: HttpRequest, queryset: WebhookEndpointQuerySet) -> None:
        self._each(request, queryset, ping, "pinged: the worker sends it.")

    @admin.action(description="Send the failed messages of the last seven days again", permissions=["change"])
    def replay_failed(self, request: HttpRequest, queryset: WebhookEndpointQuerySet) -> None:
        since = timezone.now() - REPLAY_PERIOD
        self._each(request, queryset, lambda endpoint: replay_failed(endpoint, since=since), "replayed.")

    @button(
        "Ping",
        icon="network_ping",
        asks="The worker sends it a message of the type ping. Its answer is shown among the newest messages.",
        permission="change",
    )
    def ping_this(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        return self._button(request, object_id, ping, "pinged: the worker sends it.")

    @button(
        "Send what failed again",
        icon="replay",
        asks="Its messages of the last seven days that have failed are sent again, each under its id.",
        submit="Send them again",
        permission="change",
    )
    def replay_failed_of_this(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        since = timezone.now() - REPLAY_PERIOD
        return self._button(request, object_id, partial(replay_failed, since=since), "replayed.")

    def _button(self, request: HttpRequest, pk: str, do: Callable[[WebhookEndpoint], Any], done: str) -> HttpResponse:
        endpoint = get_object_or_404(WebhookEndpoint, pk=pk)
        self._each(request, [endpoint], do, done)
        return go_to(request, reverse("admin:renders_webhookendpoint_change", args=[endpoint.pk]))

    def _each(
        self,
        request: HttpRequest,
        endpoints: Iterable[WebhookEndpoint],
        do: Callable[[WebhookEndpoint], Any],
        done: str,
    ) -> None:
        """Do it to each endpoint, and tell what went wrong with which."""
        changed, errors = [], []
        for endpoint in endpoints:
            try:
                do(endpoint)
                changed.append(endpoint)
            except (Conflict, InvalidRequest, SetupError) as err:
                errors.append((endpoint, err))
        record(request, changed, f"{done[:1].upper()}{done[1:]}")
        self.tell_errors(request, errors)
        self.tell(request, f"{len(changed)} {done}")

    @admin.display(description="Events")
    def events_shown(self, endpoint: WebhookEndpoint) -> str:
        return ", ".join(endpoint.events) or "all but render.progressed"

    @admin.display(description="Messages")
    def messages_link(self, endpoint: WebhookEndpoint) -> SafeString:
        return list_link("All messages", "webhookmessage", endpoint__id__exact=endpoint.pk)

    @admin.display(description="Owner")
    def owner_shown(self, endpoint: WebhookEndpoint) -> SafeString | str:
        return owner_link(endpoint.owner)

    @admin.display(description="State")
    def state(self, endpoint: WebhookEndpoint) -> SafeString:
        if not endpoint.enabled:
            return label("Disabled", "danger" if endpoint.disabled_reason else "neutral")
        return label("Failing", "warning") if endpoint.failing_since else label("Working", "success")

    @admin.display(description="Problem")
    def problem(self, endpoint: WebhookEndpoint) -> SafeString | str:
        """Return what is wrong, and what comes of it."""
        if not endpoint.enabled:
            return endpoint.disabled_reason or NOTHING
        if endpoint.failing_since is None:
            return NOTHING
        since, until = age(endpoint.failing_since), endpoint.failing_since + DISABLE_AFTER
        return format_html("No success; first failure {}. It is disabled on {}.", since, moment(until))

    @admin.display(description="Newest messages")
    def newest_messages(self, endpoint: WebhookEndpoint) -> SafeString:
        rows = [
            (
                row_link(str(message), "webhookmessage", message.pk),
                message.type,
                label(message.get_status_display().partition(":")[0], TONES[message.status]),
                age(message.created_at),
            )
            for message in endpoint.messages.order_by("-id")[:NEWEST]
        ]
        link = self.messages_link(endpoint)
        return format_html("{}{}", table("Newest messages", COLUMNS, rows), link) if rows else link
