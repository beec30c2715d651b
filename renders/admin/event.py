"""Events in the admin: what happened to renders, the newest first."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from renders.admin.display import NOTHING, age, as_json, preformatted
from renders.admin.filters import OwnerFilter
from renders.admin.ids import uuids
from renders.admin.labels import Tone, label
from renders.admin.links import list_link, owner_link, row_link
from renders.admin.read_only import ReadOnlyAdmin
from renders.models import Event, Render

TONES: dict[str, Tone] = {
    Event.Type.STARTED: "info",
    Event.Type.PROGRESSED: "info",
    Event.Type.SUCCEEDED: "success",
    Event.Type.BATCH_COMPLETED: "success",
    Event.Type.FAILED: "danger",
    Event.Type.CANCELLED: "warning",
    Event.Type.RECOVERED: "warning",
}


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """The outbox, from which streams and webhook endpoints are told. Rows are never changed."""

    ordering = ("-id",)
    list_display = ("id", "type_shown", "of", "owner_shown", "created")
    list_select_related = ("owner", "render")
    list_filter = (("owner", OwnerFilter),)
    list_filter_submit = True
    search_fields = ("id",)
    search_help_text = "Our id of a render, its renderId, or the id of a batch, in full"
    fields = ("id", "type_shown", "of", "owner_shown", "created_at", "messages_link", "data_shown")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        # Of its render, only how it is called.
        events = Event.objects.only("type", "created_at", "batch_id", "render__render_id", "owner__username", "data")
        return events.select_related("owner", "render")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Event], search_term: str
    ) -> tuple[QuerySet[Event], bool]:
        words = search_term.split()
        if not words:
            return queryset, False
        renders = list(Render.objects.matching_id(*words).values_list("pk", flat=True))
        return queryset.filter(Q(render__in=renders) | Q(batch__in=uuids(words))), False

    @admin.display(description="What happened")
    def type_shown(self, event: Event) -> SafeString:
        return label(event.type, TONES.get(event.type, "neutral"), title=event.get_type_display())

    @admin.display(description="To what")
    def of(self, event: Event) -> SafeString | str:
        if event.render:
            return row_link(event.render.render_id or f"{str(event.render_id)[:8]}…", "render", event.render_id)
        return row_link(f"Batch {str(event.batch_id)[:8]}…", "batch", event.batch_id) if event.batch_id else NOTHING

    @admin.display(description="Owner")
    def owner_shown(self, event: Event) -> SafeString | str:
        return owner_link(event.owner)

    @admin.display(description="When")
    def created(self, event: Event) -> SafeString | str:
        return age(event.created_at)

    @admin.display(description="Webhook messages")
    def messages_link(self, event: Event) -> SafeString | str:
        return list_link("Those of its render", "webhookmessage", q=event.render_id) if event.render_id else NOTHING

    @admin.display(description="What it says")
    def data_shown(self, event: Event) -> SafeString:
        return preformatted(as_json(event.data))
