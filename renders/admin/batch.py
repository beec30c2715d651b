"""Batches in the admin: how far they are, their renders, cancel."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import DropdownFilter

from renders.admin.audit import record
from renders.admin.dialog_button import button, go_to
from renders.admin.display import NOTHING, age, money
from renders.admin.filters import OwnerFilter
from renders.admin.ids import uuids
from renders.admin.labels import label, share
from renders.admin.links import list_link, owner_link, row_link
from renders.admin.pagination import CursorChangeList
from renders.admin.read_only import ReadOnlyAdmin
from renders.admin.renders.live import FIELDS, label_of
from renders.admin.tables import table
from renders.models import Batch, Render
from renders.services.batches.cancel import cancel_batch
from renders.services.batches.totals import counts_of, totals
from renders.services.json_schema.values import counted

SHOWN = 100


class CompleteFilter(DropdownFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("active", "Under way"), ("complete", "Complete")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Batch]) -> QuerySet[Batch]:
        state = self.value()
        return queryset.filter(completed_at__isnull=state == "active") if state in ("active", "complete") else queryset


class BatchList(CursorChangeList):
    """Counts the renders of the batches of a page by one query."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        counts = counts_of(self.result_list)
        for batch in self.result_list:
            batch.counts = counts[batch.pk]


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin):
    """One request for many renders."""

    list_display = ("short_id", "owner_shown", "state", "progress", "counts_shown", "created", "took")
    list_select_related = ("owner",)
    list_filter = (("owner", OwnerFilter), CompleteFilter)
    list_filter_submit = True
    search_fields = ("id",)
    search_help_text = "The batch's id, or the id of one of its renders, in full"
    actions = ("cancel_selected",)
    actions_detail = ("cancel",)
    fieldsets = (
        (None, {"fields": ("state", "progress", "counts_shown", "cost_shown")}),
        ("Renders", {"fields": ("renders_shown",)}),
        ("Refused", {"fields": ("refused_shown",)}),
        ("Request", {"fields": ("id", "owner_shown", "idempotency_key")}),
        ("Times", {"fields": (("created_at", "cancel_requested_at", "completed_at"),)}),
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BatchList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        batches = Batch.objects.all()
        return batches.defer("results") if self.is_list(request) else batches

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Batch], search_term: str
    ) -> tuple[QuerySet[Batch], bool]:
        if not search_term.strip():
            return queryset, False
        ids = uuids(search_term.split())
        of_renders = Render.objects.filter(pk__in=ids, batch__isnull=False).values_list("batch_id", flat=True)
        return queryset.filter(pk__in=[*ids, *of_renders]), False

    def get_fieldsets(self, request: HttpRequest, obj: Batch | None = None) -> Any:
        """Leave out what was refused where nothing was."""
        has_refused = obj is not None and any("error" in result for result in obj.results)
        return [(name, fields) for name, fields in self.fieldsets if name != "Refused" or has_refused]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer to cancel only what is under way."""
        is_under_way = Batch.objects.filter(pk=object_id, completed_at__isnull=True).exists()
        return super().get_actions_detail(request, object_id) if is_under_way else []  # type: ignore[misc]

    @button(
        "Cancel the batch",
        icon="cancel",
        asks="Its renders that wait or run are cancelled. What they have cost so far is paid, and it cannot be undone.",
        submit="Cancel its renders",
        permission="cancel",
        is_dangerous=True,
    )
    def cancel(self, request: HttpRequest, form: object, object_id: str) -> HttpResponse:
        batch = get_object_or_404(Batch, pk=object_id)
        self._cancel(request, [batch])
        return go_to(request, reverse("admin:renders_batch_change", args=[batch.pk]))

    @admin.action(description="Cancel what is left of the selected batches", permissions=["cancel"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Batch]) -> None:
        self._cancel(request, queryset.defer(None))

    def has_cancel_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Whoever may change renders may cancel them."""
        return request.user.has_perm("renders.change_render")

    def _cancel(self, request: HttpRequest, batches: Iterable[Batch]) -> None:
        active = [batch for batch in batches if batch.completed_at is None]
        for batch in active:
            cancel_batch(batch)
        record(request, active, "Cancelled.")
        self.tell(request, f"{len(active)} cancelled: of renders that run, Remotion is asked within a second.")

    @admin.display(description="Batch")
    def short_id(self, batch: Batch) -> str:
        return f"{str(batch.pk)[:8]}…"

    @admin.display(description="Owner")
    def owner_shown(self, batch: Batch) -> SafeString | str:
        return owner_link(batch.owner)

    @admin.display(description="State")
    def state(self, batch: Batch) -> SafeString:
        if batch.completed_at is None:
            return label("Cancelling", "warning") if batch.cancel_requested_at else label("Under way", "info")
        counts = _counts(batch)
        if counts[Render.Status.FAILED]:
            return label(f"Complete, {counts[Render.Status.FAILED]} failed", "danger")
        if counts[Render.Status.CANCELLED]:
            return label(f"Complete, {counts[Render.Status.CANCELLED]} cancelled", "warning")
        return label("Complete", "success")

    @admin.display(description="Progress")
    def progress(self, batch: Batch) -> SafeString:
        """Return how many of its renders have ended, as a bar; the page also counts how far the others are."""
        counts = _counts(batch)
        count = sum(counts.values())
        ended = sum(counts[status] for status in Render.TERMINAL)
        part = totals(batch).progress if not hasattr(batch, "counts") else ended / count if count else 1.0
        return share(part, f"{ended} of {count} ended")

    @admin.display(description="Renders")
    def counts_shown(self, batch: Batch) -> SafeString | str:
        """Return how many there are in each status; each number leads to those."""
        rows = (
            list_link(
                f"{count} {Render.Status(status).label.lower()}",
                "render",
                status__exact=status,
                **of(batch),
            )
            for status, count in _counts(batch).items()
            if count
        )
        return format_html("<span>{}</span>", format_html_join(", ", "{}", ((row,) for row in rows)) or "none")

    @admin.display(description="Cost so far")
    def cost_shown(self, batch: Batch) -> str:
        so_far = totals(batch)
        return money(so_far.cost, so_far.currency)

    @admin.display(description="Created")
    def created(self, batch: Batch) -> SafeString | str:
        return age(batch.created_at)

    @admin.display(description="Took")
    def took(self, batch: Batch) -> str:
        if batch.completed_at is None:
            return NOTHING
        return f"{(batch.completed_at - batch.created_at).total_seconds():,.0f}\N{NO-BREAK SPACE}s"

    @admin.display(description="Those that failed first")
    def renders_shown(self, batch: Batch) -> SafeString | str:
        """Return its first renders, those that failed first."""
        of_batch = Render.objects.of_batch(batch.pk).order_by("created_at", "id")
        rows = of_batch.select_related("refresh_state").only(*FIELDS, "cost", "currency", "render_id", "batch_id")
        renders = sorted(rows, key=lambda render: render.status != Render.Status.FAILED)
        if not renders:
            return NOTHING
        shown = table("Renders", ("Render", "Status", "Progress", "Cost", "Error"), map(_cells, renders[:SHOWN]))
        if len(renders) <= SHOWN:
            return shown
        return format_html("{}<p>{}</p>", shown, list_link(f"All {len(renders)} renders", "render", **of(batch)))

    @admin.display(description="What was refused, and why")
    def refused_shown(self, batch: Batch) -> SafeString:
        """Return the items of the request that made no render, counted from 1."""
        refused = [(number, result["error"]) for number, result in enumerate(batch.results, 1) if "error" in result]
        shown = format_html_join("", "<li>Item {}: {}</li>", refused[:SHOWN])
        rest = len(refused) - SHOWN
        return format_html("<ul>{}{}</ul>", shown, f"and {counted(rest, 'more item')}" if rest > 0 else "")


def of(batch: Batch) -> dict[str, str]:
    """Return the lookup by which the list of renders shows those of the batch."""
    return {"batch__id__exact": str(batch.pk)}


def _cells(render: Render) -> tuple[object, ...]:
    return (
        row_link(render.render_id or f"{str(render.pk)[:8]}…", "render", render.pk),
        label(*label_of(render)),
        f"{render.progress:.0%}",
        money(render.cost, render.currency),
        render.error,
    )


def _counts(batch: Batch) -> dict[str, int]:
    """Return how many of its renders have each status: those that the list has counted, or its own."""
    counts: dict[str, int] | None = getattr(batch, "counts", None)
    return counts_of([batch])[batch.pk] if counts is None else counts
