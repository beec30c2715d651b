"""The list of renders: its columns, filters and search."""

from typing import cast

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from renders.admin.display import NOTHING
from renders.admin.read_only import ReadOnlyAdmin
from renders.models import Render, RenderQuerySet


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


class RenderList(ReadOnlyAdmin):
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

    @admin.display(description="Owner")
    def owner_link(self, render: Render) -> SafeString | str:
        """Link to the owner's renders."""
        if render.owner is None:
            return NOTHING
        name = render.owner.get_username()
        return format_html('<a href="?{}">{}</a>', urlencode({SEARCH_VAR: name}), name)


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
