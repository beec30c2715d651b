"""One who follows events in the event loop of this process."""

import asyncio
import contextlib
from collections.abc import Collection, Sequence

from renders.services.events.access import Access
from renders.services.events.news import News, Topic

MAX_PENDING = 1000
"""Events that wait for a client that reads too slowly; with more, its stream ends, and it may resume."""


class SubscriptionEnded(Exception):
    """Nothing more will come: the client was too slow, or may not read on."""


class Subscription:
    """What is published about a topic, from ``Hub.subscribe()`` to ``Hub.unsubscribe()``.

    ``loop`` is where it is read; every other method is called there. It is made in any thread.
    """

    def __init__(
        self, topic: Topic, *, loop: asyncio.AbstractEventLoop, access: Access, types: Collection[str] = ()
    ) -> None:
        self.topic, self.loop, self.access = topic, loop, access
        self._types = types
        self._pending: list[News] = []
        self._is_ended = False
        self._wake = asyncio.Event()

    def takes(self, news: News) -> bool:
        """Return whether it is among the types that were asked for; none means all."""
        return not self._types or news.type in self._types

    def put(self, news: Sequence[News]) -> None:
        """Add news for ``get()``, or end if there are too many."""
        if len(self._pending) + len(news) > MAX_PENDING:
            self.end()
        elif not self._is_ended:
            self._pending.extend(news)
            self._wake.set()

    def end(self) -> None:
        """Let ``get()`` raise SubscriptionEnded after what is pending."""
        self._is_ended = True
        self._wake.set()

    async def get(self, *, seconds: float) -> list[News]:
        """Wait for news; return an empty list if there is none for so long. Raise SubscriptionEnded."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        news, self._pending = self._pending, []
        if self._is_ended and not news:
            raise SubscriptionEnded
        if not self._is_ended:
            self._wake.clear()
        return news
