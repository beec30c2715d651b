import json
from collections import Counter
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import display_for_value
from django.contrib.admin.views.main import PAGE_VAR, SEARCH_VAR, ChangeList
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from renders import services
from renders.api.pagination import NewestFirstPagination
from renders.models import Render, RenderQuerySet, WebhookDelivery, WebhookDeliveryQuerySet
from renders.remotion.errors import RemotionError

COLOURS = {
    Render.Status.QUEUED: "#6b7280",
    Render.Status.SUBMITTING: "#b45309",
    Render.Status.RENDERING: "#1d4ed8",
    Render.Status.SUCCEEDED: "#15803d",
    Render.Status.FAILED: "#b91c1c",
    Render.Status.CANCELLED: "#6b7280",
}
NOTHING = "–"


class RenderPages(NewestFirstPagination):
    """The API's pages in the admin's address."""

    cursor_query_param = PAGE_VAR


class RenderChangeList(ChangeList):
    """The admin's list, in pages by position: it knows whether there are older renders, not how many."""

    def get_results(self, request: HttpRequest) -> None:
        pages = RenderPages()
        try:
            self.result_list = pages.paginate_queryset(self.queryset, Request(request)) or []
        except NotFound as err:
            raise IncorrectLookupParameters from err
        self.newer, self.older = _query(pages.get_previous_link()), _query(pages.get_next_link())
        # What is on the page is all that is counted, so nothing offers "all" of an unknown number.
        self.result_count = self.full_result_count = len(self.result_list)
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        self.show_admin_actions = True


@admin.register(Render)
class RenderAdmin(admin.ModelAdmin):
    """Renders to look at: their rows are written by Remotion's news, never by hand."""

    list_display = (
        "__str__",
        "status_badge",
        "progress_bar",
        "owner_link",
        "created_at",
        "duration_shown",
        "render_time_shown",
        "cost_shown",
        "links",
    )
    # Only what an index answers: no column to sort by, no filter that must first collect its values.
    sortable_by = ()
    list_filter = ("status", "failure_reason", "created_at")
    list_select_related = ("owner", "refresh")
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("id", "render_id")
    search_help_text = (
        "Our id, the renderId or the owner's name, in full; or words of an error, which reads all failed renders."
    )
    actions = ("refresh", "cancel", "retry")
    fieldsets = (
        (None, {"fields": ("status_badge", "progress_bar", "failure_reason", "error", "video", "links")}),
        (
            "Request",
            {
                "fields": (
                    "id",
                    "owner",
                    "priority",
                    "retry_of",
                    "duration_shown",
                    "code",
                    "input_props_shown",
                    "composition",
                    "codec",
                )
            },
        ),
        (
            "Remotion Lambda",
            {
                "fields": (
                    ("render_id", "bucket_name"),
                    ("function_name", "function_timeout"),
                    ("region", "remotion_version", "frames_per_lambda"),
                    "serve_url",
                )
            },
        ),
        ("Result", {"fields": ("frames_rendered", "output_bucket", "output_key", "output_size", "cost_shown")}),
        (
            "Times",
            {
                "fields": (
                    "created_at",
                    "submitted_at",
                    "cancel_requested_at",
                    "read_shown",
                    "progressed_at",
                    "deadline_at",
                    "next_refresh_shown",
                    "finished_at",
                    "render_time_shown",
                )
            },
        ),
        ("What Remotion said", {"classes": ("collapse",), "fields": ("errors_shown", "progress_json_shown")}),
    )

    def get_queryset(self, request: HttpRequest) -> RenderQuerySet:
        renders = Render.objects.all()
        is_list = request.resolver_match is not None and request.resolver_match.view_name.endswith("_changelist")
        return renders.defer("progress_json", "errors") if is_list else renders

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return RenderChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Render], search_term: str
    ) -> tuple[QuerySet[Render], bool]:
        return _search(cast("RenderQuerySet", queryset), search_term.strip()), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Render | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Render | None = None) -> bool:
        return False

    @admin.action(description="Refresh the chosen renders", permissions=["view"])
    def refresh(self, request: HttpRequest, queryset: RenderQuerySet) -> None:
        # Support may look again, at any time, at what was given up.
        is_open = Q(finished_at__isnull=True) | Q(failure_reason__in=Render.GIVEN_UP)
        counts = Counter({"already over": queryset.exclude(is_open).count()})
        for result in services.refresh_renders(queryset.filter(is_open)):
            if result.error:
                self.message_user(request, f"Render {result.render}: {result.error}", messages.ERROR)
            else:
                counts[result.render.get_status_display().lower()] += 1
        said = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
        self.message_user(request, f"Refreshed: {said or 'nothing'}.", messages.INFO)

    @admin.action(description="Cancel the chosen renders", permissions=["cancel"])
    def cancel(self, request: HttpRequest, queryset: RenderQuerySet) -> None:
        self._each(request, queryset, queryset.active(), services.cancel_render, "asked to stop")

    @admin.action(description="Repeat the chosen renders", permissions=["cancel"])
    def retry(self, request: HttpRequest, queryset: RenderQuerySet) -> None:
        ended = queryset.filter(status__in=(Render.Status.FAILED, Render.Status.CANCELLED))
        self._each(request, queryset, ended, services.retry_render, "repeated")

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Whoever may change renders may stop and repeat them, though not edit their rows."""
        return super().has_change_permission(request)

    def _each(
        self,
        request: HttpRequest,
        chosen: RenderQuerySet,
        allowed: RenderQuerySet,
        use_case: Callable[[Render], object],
        done: str,
    ) -> None:
        """Does it to those of the chosen that allow it, and tells how many did not."""
        others = chosen.count() - allowed.count()
        count = 0
        for render in allowed:
            try:
                use_case(render)
            except (RemotionError, *services.REFUSALS, services.StartFailed) as err:
                self.message_user(request, f"Render {render}: {err}", messages.ERROR)
            else:
                count += 1
        left = f" {others} left as they are: their status does not allow it." if others else ""
        self.message_user(request, f"{count} {done}.{left}", messages.INFO)

    @admin.display(description="Status")
    def status_badge(self, render: Render) -> SafeString:
        label = render.get_failure_reason_display() if render.failure_reason else render.get_status_display()
        if render.is_stalled:
            label += ", stalled"
        style = "color: white; padding: 2px 8px; border-radius: 9px; white-space: nowrap; background:"
        colour = COLOURS[Render.Status(render.status)]
        return format_html('<span style="{} {}">{}</span>', style, colour, label.split(":")[0])

    @admin.display(description="Progress")
    def progress_bar(self, render: Render) -> SafeString:
        percent = f"{render.progress:.0%}"
        return format_html(
            '<span style="white-space: nowrap"><progress value="{}" max="1" style="width: 5em"></progress> {}</span>',
            f"{render.progress:.4f}",
            percent,
        )

    @admin.display(description="Owner")
    def owner_link(self, render: Render) -> SafeString | str:
        """Leads to the owner's renders."""
        if render.owner is None:
            return NOTHING
        name = render.owner.get_username()
        return format_html('<a href="?{}">{}</a>', urlencode({SEARCH_VAR: name}), name)

    @admin.display(description="Duration")
    def duration_shown(self, render: Render) -> str:
        return _seconds(render.duration)

    @admin.display(description="Last read")
    def read_shown(self, render: Render) -> str:
        return display_for_value(render.last_read_at, NOTHING)

    @admin.display(description="Next read")
    def next_refresh_shown(self, render: Render) -> str:
        refresh = getattr(render, "refresh", None)
        return display_for_value(refresh and refresh.next_refresh_at, NOTHING)

    @admin.display(description="Took")
    def render_time_shown(self, render: Render) -> str:
        return _seconds(render.render_time)

    @admin.display(description="Cost")
    def cost_shown(self, render: Render) -> str:
        return NOTHING if render.cost is None else f"{render.cost:.5f}\N{NO-BREAK SPACE}{render.currency}"

    @admin.display(description="AWS console")
    def links(self, render: Render) -> SafeString | str:
        if not render.render_id:
            return NOTHING
        return format_html(
            '<span style="white-space: nowrap"><a href="{}" target="_blank" rel="noopener">CloudWatch</a> · '
            '<a href="{}" target="_blank" rel="noopener">S3 folder</a></span>',
            render.cloudwatch_logs,
            render.folder_in_s3_console,
        )

    @admin.display(description="Video")
    def video(self, render: Render) -> SafeString | str:
        try:
            url = services.sign_output(render)
        except RemotionError as err:
            return str(err)
        if not url:
            return NOTHING
        return format_html(
            '<video src="{}" controls preload="metadata" style="max-width: 640px; width: 100%"></video><br>'
            '<a href="{}">Download</a> (this link is good for one hour)',
            url,
            url,
        )

    @admin.display(description="Code")
    def code(self, render: Render) -> SafeString:
        return _preformatted(str(render.input_props.get("code", "")))

    @admin.display(description="Input props")
    def input_props_shown(self, render: Render) -> SafeString:
        others = {name: value for name, value in render.input_props.items() if name != "code"}
        return _preformatted(_json(others))

    @admin.display(description="Errors and warnings")
    def errors_shown(self, render: Render) -> SafeString | str:
        return _preformatted(_json(render.errors)) if render.errors else NOTHING

    @admin.display(description="progress.json, as last read")
    def progress_json_shown(self, render: Render) -> SafeString | str:
        return _preformatted(_json(render.progress_json)) if render.progress_json else NOTHING


def _query(address: str | None) -> str:
    return f"?{urlsplit(address).query}" if address else ""


def _search(renders: RenderQuerySet, text: str) -> RenderQuerySet:
    """One question at a time, each to its own index; an OR of them would read the whole table."""
    if not text:
        return renders
    owner = get_user_model().objects.filter(username=text).first()
    if owner:
        return renders.filter(owner=owner)
    with_id = renders.with_id(*text.split())
    if with_id.exists():
        return with_id
    return renders.filter(status=Render.Status.FAILED, error__icontains=text)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(admin.ModelAdmin):
    """Deliveries to look at, and to process again."""

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
            processed = services.process_delivery(delivery)
            counts["processed" if processed.processed else "failed"] += 1
            if processed.error:
                self.message_user(request, f"{processed}: {processed.error}", messages.WARNING)
        said = ", ".join(f"{count} {result}" for result, count in counts.items() if count)
        self.message_user(request, f"Deliveries: {said}.", messages.INFO)

    @admin.display(description="Headers")
    def headers_shown(self, delivery: WebhookDelivery) -> SafeString:
        return _preformatted(_json(delivery.headers))

    @admin.display(description="Body")
    def body_shown(self, delivery: WebhookDelivery) -> SafeString | str:
        return _preformatted(delivery.body) if delivery.body else NOTHING


def _seconds(seconds: float | None) -> str:
    return NOTHING if seconds is None else f"{seconds:,.1f}\N{NO-BREAK SPACE}s"


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _preformatted(text: str) -> SafeString:
    style = "white-space: pre-wrap; overflow-wrap: anywhere; max-height: 24em; overflow: auto; margin: 0"
    return format_html('<pre style="{}">{}</pre>', style, text)
