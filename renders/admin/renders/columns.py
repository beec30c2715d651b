"""What the list and the page of renders both show."""

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString

from renders.admin.display import NOTHING, seconds
from renders.models import Render

COLOURS = {
    Render.Status.QUEUED: "#6b7280",
    Render.Status.SUBMITTING: "#b45309",
    Render.Status.RENDERING: "#1d4ed8",
    Render.Status.SUCCEEDED: "#15803d",
    Render.Status.FAILED: "#b91c1c",
    Render.Status.CANCELLED: "#6b7280",
}


class RenderColumns:
    """Methods that the admin names as fields."""

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

    @admin.display(description="Duration")
    def duration_shown(self, render: Render) -> str:
        return seconds(render.duration)

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
