"""Renders in the admin: find, read, refresh, cancel, repeat."""

from collections import Counter
from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.utils import display_for_value
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from renders.admin.display import NOTHING, as_json, preformatted, seconds
from renders.admin.pagination import RenderChangeList
from renders.models import Render, RenderQuerySet
from renders.remotion.errors import RemotionError
from renders.services.cancel import cancel_render
from renders.services.errors import Refused, StartFailed
from renders.services.outputs import sign_output
from renders.services.refresh.engine import refresh_renders
from renders.services.retry import retry_render

COLOURS = {
    Render.Status.QUEUED: "#6b7280",
    Render.Status.SUBMITTING: "#b45309",
    Render.Status.RENDERING: "#1d4ed8",
    Render.Status.SUCCEEDED: "#15803d",
    Render.Status.FAILED: "#b91c1c",
    Render.Status.CANCELLED: "#6b7280",
}


@admin.register(Render)
class RenderAdmin(admin.ModelAdmin):
    """Read-only: rows are written by what Remotion reports, never by hand."""

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
    # Only what an index answers: no sorting by column, no filter that must collect its values first.
    sortable_by = ()
    list_filter = ("status", "failure_reason", "created_at")
    list_select_related = ("owner", "refresh_state")
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
        ("What Remotion said", {"classes": ("collapse",), "fields": ("errors_shown",)}),
    )

    def get_queryset(self, request: HttpRequest) -> RenderQuerySet:
        renders = Render.objects.all()
        is_list = request.resolver_match is not None and request.resolver_match.view_name.endswith("_changelist")
        return renders.defer("errors") if is_list else renders

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
        # Support may recheck a render that was presumed failed at any time.
        is_open = Q(finished_at__isnull=True) | Q(failure_reason__in=Render.PRESUMED_FAILED)
        counts = Counter({"already over": queryset.exclude(is_open).count()})
        for result in refresh_renders(queryset.filter(is_open)):
            if result.error:
                self.message_user(request, f"Render {result.render}: {result.error}", messages.ERROR)
            else:
                counts[result.render.get_status_display().lower()] += 1
        said = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
        self.message_user(request, f"Refreshed: {said or 'nothing'}.", messages.INFO)

    @admin.action(description="Cancel the chosen renders", permissions=["cancel"])
    def cancel(self, request: HttpRequest, queryset: RenderQuerySet) -> None:
        self._each(request, queryset, queryset.active(), cancel_render, "asked to stop")

    @admin.action(description="Repeat the chosen renders", permissions=["cancel"])
    def retry(self, request: HttpRequest, queryset: RenderQuerySet) -> None:
        ended = queryset.filter(status__in=(Render.Status.FAILED, Render.Status.CANCELLED))
        self._each(request, queryset, ended, retry_render, "repeated")

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Whoever may change renders may cancel and repeat them, though not edit their rows."""
        return super().has_change_permission(request)

    def _each(
        self,
        request: HttpRequest,
        chosen: RenderQuerySet,
        allowed: RenderQuerySet,
        use_case: Callable[[Render], object],
        done: str,
    ) -> None:
        """Run the use case on the chosen rows that allow it, and say how many did not."""
        others = chosen.count() - allowed.count()
        count = 0
        for render in allowed:
            try:
                use_case(render)
            except (RemotionError, Refused, StartFailed) as err:
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
        """Link to the owner's renders."""
        if render.owner is None:
            return NOTHING
        name = render.owner.get_username()
        return format_html('<a href="?{}">{}</a>', urlencode({SEARCH_VAR: name}), name)

    @admin.display(description="Duration")
    def duration_shown(self, render: Render) -> str:
        return seconds(render.duration)

    @admin.display(description="Last read")
    def read_shown(self, render: Render) -> str:
        return display_for_value(render.last_read_at, NOTHING)

    @admin.display(description="Next read")
    def next_refresh_shown(self, render: Render) -> str:
        state = getattr(render, "refresh_state", None)
        return display_for_value(state and state.next_refresh_at, NOTHING)

    @admin.display(description="Took")
    def render_time_shown(self, render: Render) -> str:
        return seconds(render.render_time)

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
            url = sign_output(render)
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
        return preformatted(str(render.input_props.get("code", "")))

    @admin.display(description="Input props")
    def input_props_shown(self, render: Render) -> SafeString:
        others = {name: value for name, value in render.input_props.items() if name != "code"}
        return preformatted(as_json(others))

    @admin.display(description="Errors and warnings")
    def errors_shown(self, render: Render) -> SafeString | str:
        return preformatted(as_json(render.errors)) if render.errors else NOTHING


def _search(renders: RenderQuerySet, text: str) -> RenderQuerySet:
    """Search one field at a time, each by its index; an OR of them would read the whole table."""
    if not text:
        return renders
    owner = get_user_model().objects.filter(username=text).first()
    if owner:
        return renders.filter(owner=owner)
    with_id = renders.matching_id(*text.split())
    if with_id.exists():
        return with_id
    return renders.filter(status=Render.Status.FAILED, error__icontains=text)
