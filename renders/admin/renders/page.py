"""A render's page: what is known of it."""

from django.contrib import admin
from django.contrib.admin.utils import display_for_value
from django.contrib.admin.views.main import SEARCH_VAR
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from renders.admin.display import NOTHING, as_json, player, preformatted
from renders.admin.read_only import ReadOnlyAdmin
from renders.models import RefreshState, Render
from renders.remotion.errors import RemotionError
from renders.services.outputs import sign_artifacts, sign_output


class RenderPage(ReadOnlyAdmin):
    """All fields of a render, and links to what belongs to it."""

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

    @admin.display(description="Last refresh")
    def last_refresh_shown(self, render: Render) -> str:
        return display_for_value(render.last_read_at, NOTHING)

    @admin.display(description="Next refresh")
    def next_refresh_shown(self, render: Render) -> str:
        state: RefreshState | None = getattr(render, "refresh_state", None)
        return display_for_value(state and state.next_refresh_at, NOTHING)

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
