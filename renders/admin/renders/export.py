"""The list of renders as CSV: all that is filtered, sent while it is read."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from renders.admin.read_only import ReadOnlyAdmin
from renders.models import Render

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Begins a text that a spreadsheet would run as a formula."""
CHUNK = 2000


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


COLUMNS: dict[str, Callable[[Render], Any]] = {
    "Id": lambda render: render.id,
    "RenderId": lambda render: render.render_id,
    "Status": lambda render: render.status,
    "Failure reason": lambda render: render.failure_reason,
    "Error": lambda render: render.error,
    "Owner": lambda render: render.owner.get_username() if render.owner else None,
    "E-mail": lambda render: render.owner.email if render.owner else None,
    "Template": lambda render: render.template.name if render.template else None,
    "Composition": lambda render: render.composition,
    "External id": lambda render: render.external_id,
    "Kind": lambda render: render.kind,
    "Created": lambda render: render.created_at,
    "Submitted": lambda render: render.submitted_at,
    "Finished": lambda render: render.finished_at,
    "Length in seconds": lambda render: _milliseconds(render.duration),
    "Render time in seconds": lambda render: _milliseconds(render.render_time) if render.is_terminal else None,
    "Cost": lambda render: render.cost,
    "Currency": lambda render: render.currency,
    "Bytes": lambda render: render.output_size,
    "Bucket": lambda render: render.output_bucket,
    "Key": lambda render: render.output_key,
}
FIELDS = (
    "render_id", "status", "failure_reason", "error", "owner__username", "owner__email", "template__name",
    "composition", "external_id", "kind", "created_at", "submitted_at", "finished_at", "refreshed_at", "options",
    "duration_in_frames", "fps", "cost", "currency", "output_size", "output_bucket", "output_key",
)  # fmt: skip


class RenderExport(ReadOnlyAdmin):
    """The address of the CSV file; it takes the same query as the list."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export)
        return [path("export/", view, name="renders_render_export"), *super().get_urls()]

    def export(self, request: HttpRequest) -> StreamingHttpResponse | HttpResponseRedirect:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            renders = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"{reverse('admin:renders_render_changelist')}?e=1")
        rows = renders.select_related(None).select_related("owner", "template").only(*FIELDS)
        name = f"renders-{timezone.localtime():%Y-%m-%d-%H%M%S}.csv"
        return StreamingHttpResponse(
            csv_parts(rows.iterator(CHUNK)),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


def csv_parts(renders: Iterable[Render]) -> Iterator[str]:
    """Yield a CSV file with a header, in parts of ``CHUNK`` rows: a web server sends few large ones faster."""
    part = io.StringIO()
    writer = csv.writer(part)
    writer.writerow(COLUMNS)
    for number, render in enumerate(renders, start=1):
        writer.writerow([_cell(value(render)) for value in COLUMNS.values()])
        if number % CHUNK == 0:
            yield part.getvalue()
            part.seek(0)
            part.truncate()
    yield part.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value.isoformat(timespec="seconds") if hasattr(value, "isoformat") else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text
