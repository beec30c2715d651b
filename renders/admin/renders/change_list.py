"""The rows of the list of renders: found, in pages, with what is shown of each."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest

from renders.admin.pagination import CursorChangeList
from renders.admin.renders.columns import name_of
from renders.admin.renders.live import LiveState, live_states
from renders.admin.renders.pictures import with_picture
from renders.admin.renders.tabs import TAB_VAR
from renders.models import MergedQuery, Render, Scan
from renders.services.search import search

if TYPE_CHECKING:

    class RenderOfPage(Render):
        """A render with what the page has found out about all of its renders at once."""

        has_picture: bool
        video_name: str
        """Of the video that it is the poster of; empty if it is none."""
        live_state: LiveState

else:
    RenderOfPage = Render


class RenderChangeList(CursorChangeList):
    """The list; ``found`` is what the search has found among what is filtered."""

    def get_filters_params(self, params: Any = None) -> Any:
        """Return the parameters of filters; the tab is none of them, so that clearing them leaves it."""
        filters = super().get_filters_params(params)
        filters.pop(TAB_VAR, None)
        return filters

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        typed, self.query = self.query, ""
        renders = super().get_queryset(request, exclude_parameters)
        self.query = typed
        self.found = search(renders, typed)  # type: ignore[arg-type]
        return self.found.renders

    def rows(self) -> Any:
        if len(self.found.parts) < 2:
            return self.queryset
        rows = self.apply_select_related(self.root_queryset)
        return MergedQuery(rows, [Scan(part) for part in self.found.parts])

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        states, pictures = live_states(self.result_list), with_picture(self.result_list)
        videos = _names_of_videos(self.result_list)
        for render in self.result_list:
            render.video_name = videos.get(render.poster_of_id, "")
            render.live_state, render.has_picture = states[render.pk], render.pk in pictures


def _names_of_videos(renders: Iterable[Render]) -> dict[UUID | None, str]:
    """Return what the videos are called that these are posters of, in one query, or none if there are no posters."""
    if not (videos := {render.poster_of_id for render in renders if render.poster_of_id}):
        return {}
    rows = Render.objects.filter(pk__in=videos).order_by().only("render_id")
    return {video.pk: name_of(video) for video in rows}


class RendersOfExport(RenderChangeList):
    """What is filtered and found, without a page of it."""

    def get_results(self, request: HttpRequest) -> None:
        self.result_list: Any = []
