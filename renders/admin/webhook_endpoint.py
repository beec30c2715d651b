"""Webhook endpoints in the admin: find, make, change; ping, replay."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from renders.admin.read_only import TableAdmin
from renders.models import Event, WebhookEndpoint, WebhookEndpointQuerySet
from renders.remotion.errors import SetupError
from renders.services.errors import Conflict, InvalidRequest
from renders.services.webhooks.endpoints import check_endpoint, create_endpoint, update_endpoint
from renders.services.webhooks.replay import ping, replay_failed

REPLAY_PERIOD = timedelta(days=7)


class WebhookEndpointForm(forms.ModelForm):
    events = forms.MultipleChoiceField(
        choices=Event.Type.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None: all but render.progressed.",
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("owner", "url", "description", "events", "enabled")
        widgets = {"url": forms.TextInput(attrs={"size": 80})}

    def clean(self) -> None:
        """Say beside each field what the API would say."""
        super().clean()
        is_new = self.instance.pk is None or self.instance._state.adding
        if is_new and not self.cleaned_data.get("owner"):
            self.add_error("owner", "Choose whose events it gets.")
        if (is_new or not self.instance.is_for_render_urls) and not self.cleaned_data.get("url"):
            self.add_error("url", "Give a URL.")
        draft = WebhookEndpoint(url=self.cleaned_data.get("url") or "", events=self.cleaned_data.get("events") or [])
        try:
            check_endpoint(draft)
        except InvalidRequest as err:
            for name, sentence in err.errors.items():
                self.add_error(name, sentence)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(TableAdmin):
    """The secret is not shown: only its owner needs it, and reads it through the API."""

    form = WebhookEndpointForm
    list_display = ("__str__", "owner", "events_shown", "enabled", "failing_since", "disabled_reason", "messages_link")
    list_select_related = ("owner",)
    list_filter = ("enabled",)
    search_fields = ("owner__username", "url")
    search_help_text = "A user name, or a part of the URL."
    raw_id_fields = ("owner",)
    actions = ("enable", "disable", "ping", "replay_failed")
    readonly_fields = ("disabled_reason", "failing_since", "previous_secret_until", "created_at", "messages_link")
    fields = ("owner", "url", "description", "events", "enabled", *readonly_fields)

    def get_readonly_fields(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> Any:
        if obj is None:
            return self.readonly_fields
        fixed = ("owner", "url") if obj.is_for_render_urls else ("owner",)
        return (*fixed, *self.readonly_fields)

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

    def _each(
        self,
        request: HttpRequest,
        endpoints: Iterable[WebhookEndpoint],
        do: Callable[[WebhookEndpoint], Any],
        done: str,
    ) -> None:
        """Do it to each endpoint, and tell what went wrong with which."""
        count, errors = 0, []
        for endpoint in endpoints:
            try:
                do(endpoint)
                count += 1
            except (Conflict, InvalidRequest, SetupError) as err:
                errors.append((endpoint, err))
        self.tell_errors(request, errors)
        self.tell(request, f"{count} {done}")

    @admin.display(description="Events")
    def events_shown(self, endpoint: WebhookEndpoint) -> str:
        return ", ".join(endpoint.events) or "all but render.progressed"

    @admin.display(description="Messages")
    def messages_link(self, endpoint: WebhookEndpoint) -> SafeString:
        query = urlencode({"endpoint__id__exact": str(endpoint.pk)})
        address = f"{reverse('admin:renders_webhookmessage_changelist')}?{query}"
        return format_html('<a href="{}">Messages</a>', address)
