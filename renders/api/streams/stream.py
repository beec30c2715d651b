"""One open stream: what was published before it began, then what is published."""

from collections.abc import AsyncGenerator, Sequence

from renders.api.streams.sse import HEARTBEAT, RETRY, encode
from renders.models import Event
from renders.services.events.hub import hub
from renders.services.events.news import News
from renders.services.events.subscription import Subscription, SubscriptionEnded

HEARTBEAT_SECONDS = 15


class EventStream:
    """The bytes of a stream; ``aclose()`` ends its subscription, also before it was read.

    ``is_of_render``: it ends when the render has ended, and progress comes from its row.
    """

    def __init__(
        self, subscription: Subscription, *, before: Sequence[News], after_id: int, is_of_render: bool, is_cut: bool
    ) -> None:
        self._subscription, self._before, self._is_cut = subscription, before, is_cut
        self._last_id, self._is_of_render = after_id, is_of_render
        self._progress: float | None = None
        self._parts = self._send()

    def __aiter__(self) -> "EventStream":
        return self

    async def __anext__(self) -> bytes:
        return await anext(self._parts)

    async def aclose(self) -> None:
        hub.unsubscribe(self._subscription)
        await self._parts.aclose()

    async def _send(self) -> AsyncGenerator[bytes, None]:
        before = self._new(self._before)
        yield RETRY + encode(before)
        is_over = self._is_cut or self._has_ended(before)
        try:
            while not is_over:
                told = await self._subscription.get(seconds=HEARTBEAT_SECONDS)
                if news := self._new(told):
                    yield encode(news)
                elif not told:
                    yield HEARTBEAT
                is_over = self._has_ended(news)
        except SubscriptionEnded:
            return

    def _new(self, news: Sequence[News]) -> list[News]:
        """Return what was not sent yet."""
        new = []
        for item in news:
            if item.id is None:
                is_new = item.type != Event.Type.PROGRESSED or item.data["progress"] != self._progress
                self._progress = item.data["progress"]
            else:
                is_new = item.id > self._last_id and not (self._is_of_render and item.type == Event.Type.PROGRESSED)
                self._last_id = max(self._last_id, item.id)
            if is_new:
                new.append(item)
        return new

    def _has_ended(self, news: Sequence[News]) -> bool:
        # Of several, the last one counts: a render that has recovered goes on.
        return self._is_of_render and bool(news) and news[-1].is_end
