"""What views and the bridge to ASGI (renderhub/asgi_bridge.py) say to each other. Imports no models: it comes first."""

from collections.abc import Awaitable, Callable

from django.http import HttpResponse

LOOP = "renderhub.loop"
"""Key of the request's environ with the event loop that sends streams. Only the bridge sets it."""

POSTPONED = "renderhub.postponed"
"""Key of the environ of a request that comes to its view again, after what it had to wait for: the first answer."""


class PostponedResponse(HttpResponse):
    """Not an answer yet: the bridge awaits ``until()``, which takes no thread, and asks the view again.

    ``end`` is called in any case, also where nothing is awaited any more.
    """

    def __init__(self, until: Callable[[], Awaitable[None]], *, end: Callable[[], None]) -> None:
        super().__init__()
        self.until, self.end = until, end
