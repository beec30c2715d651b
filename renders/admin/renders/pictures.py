"""Small pictures of renders: the poster of a video, else its first frame, or a still itself."""

from collections.abc import Iterable
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from renders.admin.read_only import ReadOnlyAdmin
from renders.models import Render
from renders.remotion.errors import RemotionError
from renders.remotion.options import media_type
from renders.remotion.storage import SIGNED_URL_SECONDS
from renders.services.outputs import sign_output

ICONS = {"video": "movie", "audio": "graphic_eq", "image": "image", "document": "description"}
"""What stands in for a picture, by the media type of the output."""

FIELDS = ("poster_of", "status", "kind", "extension", "options", "submitted_at", "finished_at")
"""What it takes to say whether a render is a picture."""
SIGNED = (*FIELDS, "region", "output_bucket", "output_key")
"""What it takes to sign a link to it."""

SHOWN_AS_VIDEO = {"mp4", "webm"}
"""Extensions of videos that browsers play."""


def with_picture(renders: Iterable[Render]) -> set[UUID]:
    """Return the ids of those of these that have a picture: their posters are found in one query."""
    renders = list(renders)
    videos = [render.pk for render in renders if render.poster_request]
    posters = list(Render.objects.with_poster_of(videos).only(*FIELDS)) if videos else []
    of_videos = {poster.poster_of_id for poster in posters if poster.poster_of_id and _is_picture(poster)}
    return of_videos | {render.pk for render in renders if _is_picture(render)}


def picture_markup(render: Render, *, has_picture: bool) -> SafeString:
    """Return the picture, which the browser loads when it comes into view, over a symbol of what the render is.

    Of a video without one, it is the first frame. ``list.js`` loads that, and removes what cannot be loaded.
    """
    picture = SafeString()
    if has_picture:
        address = reverse("admin:renders_render_picture", args=[render.pk])
        picture = format_html('<img src="{}" alt="" loading="lazy" decoding="async">', address)
    elif _is_video(render):
        address = reverse("admin:renders_render_first_frame", args=[render.pk])
        picture = format_html(
            '<video data-src="{}" preload="none" muted playsinline aria-hidden="true"></video>', address
        )
    symbol = '<span class="picture"><span class="material-symbols-outlined" aria-hidden="true">{}</span>{}</span>'
    return format_html(symbol, ICONS[media_type(render.extension)], picture)


class RenderPictures(ReadOnlyAdmin):
    """The address of a render's picture: a link to S3 is signed only for what somebody sees."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<uuid:pk>/picture/", view(self.picture), name="renders_render_picture"),
            path("<uuid:pk>/first-frame/", view(self.first_frame), name="renders_render_first_frame"),
            *super().get_urls(),
        ]

    def picture(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Redirect to the picture of a render."""
        renders = Render.objects.only(*SIGNED)
        pictures = (*renders.filter(pk=pk), *renders.with_poster_of([pk]))
        return self._first(request, filter(_is_picture, pictures), none="This render has no picture.")

    def first_frame(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Redirect to the video, of which the browser loads no more than it takes to show the first frame."""
        videos = Render.objects.only(*SIGNED).filter(pk=pk)
        return self._first(request, filter(_is_video, videos), none="This render has no video that a browser plays.")

    def _first(self, request: HttpRequest, outputs: Iterable[Render], *, none: str) -> HttpResponse:
        """Redirect to the first of these outputs that there is."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        for output in outputs:
            if url := _signed(output):
                age = f"private, max-age={SIGNED_URL_SECONDS // 2}"
                return HttpResponseRedirect(url, headers={"Cache-Control": age})
        raise Http404(none)


def _is_picture(render: Render) -> bool:
    return _is_there(render) and render.kind == Render.Kind.STILL and media_type(render.extension) == "image"


def _is_video(render: Render) -> bool:
    return _is_there(render) and render.kind == Render.Kind.VIDEO and render.extension in SHOWN_AS_VIDEO


def _is_there(render: Render) -> bool:
    return render.status == Render.Status.SUCCEEDED and not render.is_expired


def _signed(render: Render) -> str | None:
    try:
        return sign_output(render)
    except RemotionError:
        return None
