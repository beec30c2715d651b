"""The thread that reads the database for all who follow."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from renders.models import Event, RefreshState
from renders.services.events import hub as module
from renders.services.events.access import Access
from renders.services.events.hub import Hub
from renders.services.events.news import ALL, News, Topic, of_owner, of_render
from renders.services.events.subscription import Subscription
from tests.api.streams.changes import progress, succeed
from tests.factories import make_render
from tests.operations.processes import wait_until


@contextmanager
def following(hub: Hub, *topics: Topic) -> Iterator[Callable[[], list[list[str]]]]:
    """Follow topics in a loop; yields what returns the types that each was told since the last call."""
    loop = asyncio.new_event_loop()
    subscriptions = [Subscription(topic, loop=loop, access=Access()) for topic in topics]
    for subscription in subscriptions:
        hub.subscribe(subscription)

    async def read() -> list[list[News]]:
        return [await subscription.get(seconds=0.01) for subscription in subscriptions]

    try:
        yield lambda: [[news.type for news in told] for told in loop.run_until_complete(read())]
    finally:
        for subscription in subscriptions:
            hub.unsubscribe(subscription)
        loop.close()


def wait_for_news(told: Callable[[], list[list[str]]]) -> list[str]:
    """Return the types of the first news of the one topic that is followed."""
    news: list[list[str]] = []

    def have_come() -> bool:
        news[:] = told()
        return bool(news[0])

    wait_until(have_come)
    return news[0]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    """One whose ticks the test makes."""
    monkeypatch.setattr(Hub, "_run", lambda self: None)
    return Hub()


@pytest.mark.django_db
class TestTick:
    def test_each_follower_is_told_what_it_follows(self, hub: Hub) -> None:
        render, other = make_render(), make_render()
        with following(hub, of_render(render.pk), of_render(other.pk), of_owner(None), of_owner(7), ALL) as told:
            hub._tick()
            told()
            succeed(render)
            hub._tick()
            assert told() == [["render.succeeded"], [], ["render.succeeded"], [], ["render.succeeded"]]
            hub._tick()
            assert told() == [[]] * 5

    def test_progress_is_told_to_those_who_follow_the_render(self, hub: Hub) -> None:
        render = make_render()
        with following(hub, of_render(render.pk), ALL) as told:
            hub._tick()
            told()
            progress(render, 0.5)
            hub._done_at.clear()
            hub._tick()
            assert told() == [["render.progressed"], []]

    def test_it_asks_as_many_queries_of_a_hundred_followers_as_of_one(self, hub: Hub) -> None:
        def queries(count: int) -> int:
            renders = [make_render() for _ in range(count)]
            with following(hub, *(of_render(render.pk) for render in renders)):
                hub._done_at.clear()
                with CaptureQueriesContext(
                    connection,
                ) as asked:
                    hub._tick()
            return len(asked)

        assert queries(100) == queries(1)

    def test_followed_renders_count_as_watched(self, hub: Hub) -> None:
        followed, other = make_render(), make_render()
        with following(hub, of_render(followed.pk)):
            hub._tick()
        watched = RefreshState.objects.exclude(watched_at=None)
        assert [state.pk for state in watched] == [followed.pk]
        assert other.pk not in watched.values_list("pk", flat=True)


@pytest.mark.django_db(transaction=True)
class TestThread:
    @pytest.fixture
    def running(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
        monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
        hub = Hub()
        yield hub
        hub.stop()

    def test_it_tells_at_once_and_ends_when_nobody_follows(self, running: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "IDLE_SECONDS", 0)
        render = make_render()
        with following(running, ALL) as told:
            succeed(render)
            assert wait_for_news(told) == [Event.Type.SUCCEEDED]
        wait_until(lambda: running._thread is None)

    def test_it_goes_on_where_it_was_when_the_database_has_failed(
        self, running: Hub, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tick, failures = Hub._tick, iter([True, True])

        def fail_twice(hub: Hub) -> None:
            if next(failures, False):
                raise ConnectionError("The connection broke.")
            tick(hub)

        monkeypatch.setattr(Hub, "_tick", fail_twice)
        with following(running, ALL) as told:
            succeed(make_render())
            assert wait_for_news(told) == [Event.Type.SUCCEEDED]
