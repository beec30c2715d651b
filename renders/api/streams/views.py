"""``/api/renders/<id>/events/`` and ``/api/events/``: Server-Sent Events."""

from collections.abc import Callable, Collection
from functools import partial

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework import status
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request

from renders.api.endpoint import Endpoint
from renders.api.streams.connection import access_of, loop_of
from renders.api.streams.openapi import OF_ALL, OF_RENDER
from renders.api.streams.sse import (
    CONTENT_TYPE,
    HEADERS,
    FeedQuerySerializer,
    JSONErrors,
    ResumeQuerySerializer,
    last_event_id,
)
from renders.api.streams.stream import EventStream
from renders.models import Event, Render, Scope
from renders.services.events.hub import hub
from renders.services.events.news import ALL, News, Topic, end_of, of_render, progress_of, stored_after, visible_to
from renders.services.events.payload import FIELDS
from renders.services.events.subscription import Subscription

MAX_BEFORE = 1000
"""Events that a stream begins with; if there are more, it ends after them, and the client resumes."""


TYPES_OF_A_RENDER = frozenset(Event.Type.values) - {Event.Type.PROGRESSED}
"""What a render's stream tells of stored events. Its progress comes from the row, so that stored progress, of which
there may be much, must not fill what a stream begins with."""


class StreamView(Endpoint):
    """What both streams have in common."""

    content_negotiation_class = JSONErrors
    required_scopes = {"get": Scope.RENDERS_READ}

    def _stream(
        self,
        topic: Topic,
        before: Callable[[], list[News]],
        *,
        needs_permission: bool,
        after_id: int | None,
        types: Collection[str] = (),
    ) -> HttpResponseBase:
        """Answer with a stream that begins with ``before()``, which is read when nothing can be missed any more."""
        access = access_of(self.request, needs_permission=needs_permission)
        subscription = Subscription(topic, loop=loop_of(self.request), access=access, types=types)
        if self.request.method == "HEAD":
            return HttpResponse(content_type=CONTENT_TYPE, headers=HEADERS)
        hub.subscribe(subscription)
        try:
            news = before()
        except BaseException:
            hub.unsubscribe(subscription)
            raise
        stream = EventStream(
            subscription,
            before=news,
            after_id=after_id or 0,
            is_of_render=topic[0] == "render",
            is_cut=len(news) >= MAX_BEFORE,
        )
        return StreamingHttpResponse(stream, content_type=CONTENT_TYPE, headers=HEADERS)


class RenderEventsView(StreamView):
    """What has happened to a render, and what happens to it until it has ended."""

    queryset = Render.objects.only("owner_id", "status")

    query_serializers = {"get": ResumeQuerySerializer}
    operations = OF_RENDER

    def get(self, request: Request, pk: str) -> HttpResponseBase:
        render = get_object_or_404(self.queryset.all(), pk=pk)
        self.check_object_permissions(request, render)
        after_id = last_event_id(request, self.query)
        topic = of_render(render.pk)
        if after_id is not None and render.is_terminal and not _stored(render, after_id, limit=1):
            # The one answer after which a browser does not resume.
            return HttpResponse(status=status.HTTP_204_NO_CONTENT)
        is_anothers = render.owner_id != request.user.pk
        before = partial(_so_far, render, after_id)
        return self._stream(topic, before, needs_permission=is_anothers, after_id=after_id)


class EventsView(StreamView):
    """What happens from now on, or has happened since an event, to all renders that the user may see."""

    query_serializers = {"get": FeedQuerySerializer}
    operations = OF_ALL

    def get(self, request: Request) -> HttpResponseBase:
        after_id = last_event_id(request, self.query)
        types = self.query.get("types", ())
        topic = visible_to(request.user)

        def before() -> list[News]:
            return [] if after_id is None else stored_after(after_id, topic, types=types, limit=MAX_BEFORE)

        return self._stream(topic, before, needs_permission=topic == ALL, after_id=after_id, types=types)


def _so_far(render: Render, after_id: int | None) -> list[News]:
    """Return what has happened to a render after an event, and how far it is."""
    news = _stored(render, after_id)
    render = Render.objects.select_related("template").only(*FIELDS, "progressed_at").get(pk=render.pk)
    if render.is_terminal:
        if not (news and news[-1].is_end):  # it may have ended between the two
            news = _stored(render, after_id)
        return news if news and news[-1].is_end else [*news, end_of(render)]
    return [*news, progress_of(render)] if render.status == Render.Status.RENDERING else news


def _stored(render: Render, after_id: int | None, *, limit: int = MAX_BEFORE) -> list[News]:
    return stored_after(after_id or 0, of_render(render.pk), types=TYPES_OF_A_RENDER, limit=limit)
