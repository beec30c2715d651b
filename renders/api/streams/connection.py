"""What a view of a stream needs of the server: an event loop, which only ASGI has."""

import asyncio

from rest_framework.request import Request

from renders.api.errors import StreamsUnavailable
from renders.api.streams.postponed import LOOP
from renders.services.events.access import Access


def loop_of(request: Request) -> asyncio.AbstractEventLoop:
    """Return the loop that sends the stream. Raise StreamsUnavailable."""
    loop = request.META.get(LOOP)
    if loop is None:
        raise StreamsUnavailable(
            "This server cannot hold requests open: the operator should run `uvicorn renderhub.asgi:application`."
        )
    return loop


def access_of(request: Request, *, needs_permission: bool) -> Access:
    """Return with what the request was let in, to look at it again while the stream is open."""
    key = (type(request.auth), request.auth.pk) if request.auth is not None else None
    session_key = None if key or not request.user.is_authenticated else request.session.session_key
    return Access(request.user.pk, key, session_key, needs_permission)
