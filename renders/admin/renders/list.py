"""The list of renders: its columns, filters, tabs and search."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.forms import Media
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from renders.admin.display import NOTHING, brief_age
from renders.admin.read_only import ReadOnlyAdmin
from renders.admin.renders.change_list import RenderChangeList, RenderOfPage, RendersOfExport
from renders.admin.renders.columns import name_of
from renders.admin.renders.filters import (
    CreatedFilter,
    FailureReasonFilter,
    OwnerFilter,
    StatusFilter,
    TemplateFilter,
)
from renders.admin.renders.live import live_markup
from renders.admin.renders.pictures import picture_markup
from renders.admin.renders.tabs import in_tab, tab_list
from renders.models import Render, RenderQuerySet
from renders.services.search import search

UNSHOWN = (
    "errors",
    "input_props",
    "artifacts",
    "metadata",
    "template__default_input_props",
    "template__input_schema",
    "template__default_options",
    "template__allowed_options",
    "template__synced",
)
"""Fields that a list does not load; some are large."""


class RenderList(ReadOnlyAdmin):
    """One column each for what support asks first: how is it, whose, how long, how much, when."""

    list_display = (
        "picture_shown",
        "name",
        "live_status",
        "template_link",
        "owner_link",
        "length_shown",
        "cost_shown",
        "age_shown",
    )
    list_display_links = ("name",)
    # Only what an index answers: no filter that must collect its values first.
    list_filter = (
        ("status", StatusFilter),
        ("failure_reason", FailureReasonFilter),
        ("owner", OwnerFilter),
        ("template", TemplateFilter),
        ("created_at", CreatedFilter),
    )
    list_filter_submit = True
    list_select_related = ("owner", "template", "refresh_state")
    list_before_template = "admin/renders/render/change_list_note.html"
    list_fullwidth = True
    search_fields = ("id", "render_id")
    search_help_text = "Id, owner, e-mail, or words of error or input"

    @property
    def media(self) -> Media:
        # Not deferred: it must be there before a picture fails.
        return super().media + Media(js=["renders/list.js"], css={"all": ["renders/list.css"]})

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return RendersOfExport if self.is_export(request) else RenderChangeList

    def is_export(self, request: HttpRequest) -> bool:
        """Return whether the list is asked for as a file."""
        return request.resolver_match is not None and request.resolver_match.view_name.endswith("_export")

    def get_queryset(self, request: HttpRequest) -> RenderQuerySet:
        renders = Render.objects.all()
        if not self.is_list(request) and not self.is_export(request):
            return renders
        # An action needs all fields of the rows.
        shown = renders.defer(*UNSHOWN) if request.method == "GET" else renders
        return in_tab(shown, request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Render], search_term: str
    ) -> tuple[QuerySet[Render], bool]:
        return search(queryset, search_term).renders, False  # type: ignore[arg-type]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        tabs = tab_list(request, model=self.opts.label_lower)
        return super().changelist_view(request, {**(extra_context or {}), "tab_list": tabs})  # type: ignore[return-value]

    @admin.display(description="Picture")
    def picture_shown(self, render: RenderOfPage) -> SafeString:
        return picture_markup(render, has_picture=render.has_picture)

    @admin.display(description="Render")
    def name(self, render: RenderOfPage) -> SafeString | str:
        """Return what it is called; of a poster also its video."""
        name = name_of(render)
        if not render.video_name:
            return name
        label = '<span class="block text-left">{} <span class="block text-xs font-normal">Poster of {}</span></span>'
        return format_html(label, name, render.video_name)

    @admin.display(description="Status")
    def live_status(self, render: RenderOfPage) -> SafeString:
        return live_markup(render, render.live_state)

    @admin.display(description="Template")
    def template_link(self, render: Render) -> SafeString | str:
        """Link to the template's renders; the composition if there is none."""
        if render.template is None:
            return render.composition
        query = urlencode({"template__id__exact": render.template.pk})
        return format_html('<a href="?{}" title="All renders of this template">{}</a>', query, render.template.name)

    @admin.display(description="Owner")
    def owner_link(self, render: Render) -> SafeString | str:
        """Link to the owner's renders."""
        if render.owner is None:
            return NOTHING
        query, name = urlencode({"owner__id__exact": render.owner.pk}), render.owner.get_username()
        return format_html('<a href="?{}" title="All renders of this owner">{}</a>', query, name)

    @admin.display(description="Length")
    def length_shown(self, render: Render) -> str:
        return "Still" if render.kind == Render.Kind.STILL else self.duration_shown(render)  # type: ignore[attr-defined]

    @admin.display(description="Created")
    def age_shown(self, render: Render) -> SafeString | str:
        return brief_age(render.created_at)
