"""Renders in the admin: find and read."""

from typing import cast

from django.contrib import admin
from django.contrib.admin.utils import display_for_value
from django.contrib.admin.views.main import SEARCH_VAR
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from renders.admin.display import NOTHING, as_json, player, preformatted, seconds
from renders.admin.render_actions import RenderActions
from renders.models import RefreshState, Render, RenderQuerySet
from renders.remotion.errors import RemotionError
from renders.services.outputs import sign_artifacts, sign_output

COLOURS = {
    Render.Status.QUEUED: "#6b7280",
    Render.Status.SUBMITTING: "#b45309",
    Render.Status.RENDERING: "#1d4ed8",
    Render.Status.SUCCEEDED: "#15803d",
    Render.Status.FAILED: "#b91c1c",
    Render.Status.CANCELLED: "#6b7280",
}


class StatusFilter(admin.ChoicesFieldListFilter):
    def queryset(self, request: HttpRequest, queryset: QuerySet[Render]) -> QuerySet[Render] | None:
        if not self.lookup_val:
            return super().queryset(request, queryset)
        return cast("RenderQuerySet", queryset).with_status(*self.lookup_val)


class FailureReasonFilter(admin.ChoicesFieldListFilter):
    def queryset(self, request: HttpRequest, queryset: QuerySet[Render]) -> QuerySet[Render] | None:
        if not self.lookup_val:
            return super().queryset(request, queryset)
        return cast("RenderQuerySet", queryset).with_failure_reason(*self.lookup_val)


@admin.register(Render)
class RenderAdmin(RenderActions):
    """One column each for what support asks first: who, how far, how long, how much, where the logs are."""

    list_display = (
        "name",
        "status_badge",
        "progress_bar",
        "owner_link",
        "created_at",
        "duration_shown",
        "render_time_shown",
        "cost_shown",
        "links",
    )
    # Only what an index answers: no filter that must collect its values first.
    list_filter = (("status", StatusFilter), ("failure_reason", FailureReasonFilter), "created_at")
    list_select_related = ("owner", "refresh_state")
    search_fields = ("id", "render_id")
    search_help_text = (
        "Our id, the renderId or the owner's name, in full; or words of an error (slower: all failed renders are read)."
    )
    fieldsets = (
        (
            None,
            {"fields": ("status_badge", "progress_bar", "failure_reason", "error", "output", "poster_shown", "links")},
        ),
        (
            "Request",
            {
                "fields": (
                    "id",
                    "owner",
                    "priority",
                    "retry_of",
                    "poster_of",
                    "kind",
                    ("template", "template_version"),
                    "composition",
                    "frame",
                    ("codec", "width", "height", "duration_shown"),
                    "options_shown",
                    "code",
                    "input_props_shown",
                )
            },
        ),
        (
            "Remotion Lambda",
            {
                "fields": (
                    ("render_id", "bucket_name"),
                    ("function_name", "function_timeout"),
                    ("region", "remotion_version"),
                    ("frames_per_lambda", "concurrency", "slots_needed"),
                    "serve_url",
                )
            },
        ),
        (
            "Result",
            {
                "fields": (
                    "frames_rendered",
                    "output_bucket",
                    "output_key",
                    "output_size",
                    "artifacts_shown",
                    "cost_shown",
                )
            },
        ),
        (
            "Times",
            {
                "fields": (
                    "created_at",
                    "submitted_at",
                    "cancel_requested_at",
                    "last_refresh_shown",
                    "progressed_at",
                    "deadline_at",
                    "next_refresh_shown",
                    "finished_at",
                    "render_time_shown",
                )
            },
        ),
        ("What Remotion said", {"classes": ("collapse",), "fields": ("errors_shown", "deliveries")}),
    )

    def get_queryset(self, request: HttpRequest) -> RenderQuerySet:
        renders = Render.objects.all()
        return renders.defer("errors") if self.is_list(request) else renders

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Render], search_term: str
    ) -> tuple[QuerySet[Render], bool]:
        return _search(cast("RenderQuerySet", queryset), search_term.strip()), False

    @admin.display(description="Render")
    def name(self, render: Render) -> str:
        """Return the renderId, or the beginning of our id until there is one."""
        return render.render_id or f"{str(render.id)[:8]}…"

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

    @admin.display(description="Last refresh")
    def last_refresh_shown(self, render: Render) -> str:
        return display_for_value(render.last_read_at, NOTHING)

    @admin.display(description="Next refresh")
    def next_refresh_shown(self, render: Render) -> str:
        state: RefreshState | None = getattr(render, "refresh_state", None)
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

    @admin.display(description="Output")
    def output(self, render: Render) -> SafeString | str:
        if render.is_expired:
            return f"Its files were kept until {display_for_value(render.expires_at, NOTHING)}."
        try:
            url = sign_output(render)
        except RemotionError as err:
            return str(err)
        return player(url, render.extension) if url else NOTHING

    @admin.display(description="Poster")
    def poster_shown(self, render: Render) -> SafeString | str:
        poster = render.poster
        if poster is None:
            return NOTHING
        address = reverse("admin:renders_render_change", args=[poster.pk])
        if poster.status != Render.Status.SUCCEEDED:
            return format_html('<a href="{}">{}</a> {}', address, poster.get_status_display(), poster.error)
        return format_html('<a href="{}">{}</a>', address, self.output(poster))

    @admin.display(description="Artifacts")
    def artifacts_shown(self, render: Render) -> SafeString | str:
        rows = ((file["url"] or "", file["name"], f"{file['size']:,}") for file in sign_artifacts(render))
        return format_html_join("", '<a href="{}">{}</a> ({} bytes)<br>', rows) or NOTHING

    @admin.display(description="Code")
    def code(self, render: Render) -> SafeString:
        return preformatted(str(render.input_props.get("code", "")))

    @admin.display(description="Input props")
    def input_props_shown(self, render: Render) -> SafeString:
        others = {name: value for name, value in render.input_props.items() if name != "code"}
        return preformatted(as_json(others))

    @admin.display(description="Options")
    def options_shown(self, render: Render) -> SafeString | str:
        return preformatted(as_json(render.options)) if render.options else NOTHING

    @admin.display(description="Errors and warnings")
    def errors_shown(self, render: Render) -> SafeString | str:
        return preformatted(as_json(render.errors)) if render.errors else NOTHING

    @admin.display(description="Webhook deliveries")
    def deliveries(self, render: Render) -> SafeString:
        ids = f"{render.id} {render.render_id}".strip()
        address = f"{reverse('admin:renders_webhookdelivery_changelist')}?{urlencode({SEARCH_VAR: ids})}"
        return format_html('<a href="{}">Those that name this render</a>', address)


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
    return renders.with_status(Render.Status.FAILED).filter(error__icontains=text)
