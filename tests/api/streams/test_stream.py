"""The bytes of a stream, without a server."""

import asyncio
from uuid import uuid4

import pytest
from django.utils import timezone

from renders.api.streams import stream
from renders.api.streams.sse import HEARTBEAT, RETRY
from renders.api.streams.stream import EventStream
from renders.models import Event
from renders.services.events.access import Access
from renders.services.events.hub import hub
from renders.services.events.news import News, of_render
from renders.services.events.subscription import Subscription

RENDER = uuid4()


def news(id_: int | None, type_: str = Event.Type.STARTED, progress: float = 0) -> News:
    return News(id_, type_, timezone.now(), None, RENDER, {"progress": progress})


def sent(*told: list[News], before: tuple[News, ...] = (), count: int, **options: bool) -> list[bytes]:
    """Return the first parts of a stream that is told this, batch by batch."""

    async def read() -> list[bytes]:
        subscription = Subscription(of_render(RENDER), loop=asyncio.get_running_loop(), access=Access())
        its = EventStream(subscription, before=before, after_id=0, **{"is_of_render": True, "is_cut": False, **options})
        parts = []
        for _ in range(count):
            parts.append(await anext(its, b"the end"))
            if told[len(parts) - 1 : len(parts)]:
                subscription.put(told[len(parts) - 1])
        await its.aclose()
        return parts

    return asyncio.run(read())


def ids(part: bytes) -> list[int]:
    return [int(line[4:]) for line in part.splitlines() if line.startswith(b"id: ")]


class TestEventStream:
    def test_an_event_is_sent_once_though_it_is_told_twice(self) -> None:
        first, second = news(1), news(2)
        parts = sent([first, second], before=(first,), count=2)
        assert [ids(part) for part in parts] == [[1], [2]]

    def test_silence_is_filled_with_heartbeats(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.01)
        assert sent(count=3) == [RETRY, HEARTBEAT, HEARTBEAT]

    def test_progress_that_is_the_same_is_not_sent_again(self) -> None:
        progressed = Event.Type.PROGRESSED
        told = [news(None, progressed, 0.5), news(None, progressed, 0.5), news(None, progressed, 0.75)]
        part = sent(told, before=(news(None, progressed, 0.5),), count=2)[1]
        assert part.count(b"event: render.progressed") == 1
        assert b'"progress":0.75' in part

    def test_stored_progress_is_only_for_those_who_follow_all_renders(self) -> None:
        stored = news(3, Event.Type.PROGRESSED, 0.5)
        assert ids(sent(before=(stored,), count=1)[0]) == []
        assert ids(sent(before=(stored,), count=1, is_of_render=False)[0]) == [3]

    def test_it_ends_with_the_render(self) -> None:
        parts = sent([news(2, Event.Type.FAILED)], before=(news(1),), count=3)
        assert (ids(parts[1]), parts[2]) == ([2], b"the end")

    def test_a_render_that_has_recovered_goes_on(self) -> None:
        failed, recovered = news(1, Event.Type.FAILED), news(2, Event.Type.RECOVERED)
        parts = sent([news(3, Event.Type.SUCCEEDED)], before=(failed, recovered), count=3)
        assert [ids(part) for part in parts] == [[1, 2], [3], []]

    def test_one_that_is_far_behind_ends_so_that_the_client_resumes(self) -> None:
        assert sent(before=(news(1),), count=2, is_cut=True)[1] == b"the end"

    def test_a_client_that_reads_too_slowly_gets_what_it_can_and_resumes(self) -> None:
        async def read_slowly() -> list[int]:
            subscription = Subscription(of_render(RENDER), loop=asyncio.get_running_loop(), access=Access())
            its = EventStream(subscription, before=(), after_id=0, is_of_render=False, is_cut=False)
            for first in (1, 501, 1001):
                subscription.put([news(number) for number in range(first, first + 500)])
            return [number async for part in its for number in ids(part)]

        assert asyncio.run(read_slowly()) == list(range(1, 1001))

    def test_closing_ends_the_subscription_though_nothing_was_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ended: list[Subscription] = []
        monkeypatch.setattr(hub, "unsubscribe", ended.append)
        sent(count=0)
        assert len(ended) == 1
