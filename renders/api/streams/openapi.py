"""The operations of streams, as OpenAPI describes them."""

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter
from rest_framework import exceptions

from renders.api.errors import StreamsUnavailable
from renders.api.openapi.operation import Operation, Success
from renders.api.streams.sse import CONTENT_TYPE

ID = OpenApiParameter("id", UUID, OpenApiParameter.PATH, description="Our id of the render.")
LAST_EVENT_ID = OpenApiParameter(
    "Last-Event-ID", str, OpenApiParameter.HEADER, description="Resume after this event; browsers send it themselves."
)
EXAMPLE = """id: 17
event: render.succeeded
data: {"id": 17, "type": "render.succeeded", "timestamp": "2026-01-31T12:00:09Z", "data": {"id": "3127bc58-…"}}

"""
STREAM = Success(
    description="Server-Sent Events: `id`, `event` and `data`, which is the same JSON as a webhook's body, and `id`.",
    body={"type": "string"},
    media_type=CONTENT_TYPE,
    example=EXAMPLE,
)
FORMAT = (
    "Server-Sent Events, for `EventSource` and its like: a comment comes every 15 seconds, and a stream that has broken"
    " is resumed by `Last-Event-ID`. `render.progressed` has no `id`. It takes a server for ASGI, else it is 501."
)

OF_RENDER = {
    "get": Operation(
        id="stream_render_events",
        summary="Follow a render",
        description=f"What has happened to a render, and what happens to it until it ends. {FORMAT}",
        answers={200: STREAM, 204: Success(description="It has ended, and there is nothing new to resume.")},
        errors=(exceptions.NotFound, StreamsUnavailable),
        parameters=(ID, LAST_EVENT_ID),
    )
}
OF_ALL = {
    "get": Operation(
        id="stream_events",
        summary="Follow all your renders",
        description=f"What happens to the renders that you may see, from now on or since an event. {FORMAT}",
        answers={200: STREAM},
        errors=(StreamsUnavailable,),
        parameters=(LAST_EVENT_ID,),
    )
}
