"""The worker's part: turns that hand on, send and store."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError

from renders.models import Event, WebhookAttempt, WebhookMessage
from renders.services.log_throttle import LogThrottle
from renders.services.webhooks import delivery
from renders.services.webhooks import loop as loop_module
from renders.services.webhooks.loop import WebhookLoop, logger
from tests.factories import make_endpoint, make_message
from tests.servers import Answer, ScriptedServer

pytestmark = pytest.mark.django_db(transaction=True)
Status = WebhookMessage.Status


@pytest.fixture
def loop() -> Iterator[WebhookLoop]:
    loop = WebhookLoop(throttle=LogThrottle(logger))
    yield loop
    loop.close()


def never() -> bool:
    return False


def turn_until(loop: WebhookLoop, is_so: Callable[[], Any]) -> None:
    ends_at = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < ends_at, "That did not come."
        loop.turn(interval=0.2)


def test_an_event_is_delivered(loop: WebhookLoop, user: User, aws: ScriptedServer) -> None:
    aws.answers["/hook"] = Answer()
    make_endpoint(user, f"{aws.url}/hook")
    Event.objects.create(type="render.failed", owner=user, data={})
    turn_until(loop, WebhookMessage.objects.filter(status=Status.DELIVERED).exists)
    assert WebhookAttempt.objects.get().status_code == 200
    assert aws.count("/hook") == 1


def test_once_sends_each_message_once(loop: WebhookLoop, user: User, aws: ScriptedServer) -> None:
    aws.answers |= {"/good": Answer(), "/bad": Answer(status=500)}
    good, bad = make_endpoint(user, f"{aws.url}/good"), make_endpoint(user, f"{aws.url}/bad")
    for _ in range(20):
        make_message(good)
        make_message(bad)
    loop.run_once(is_stopped=never)
    assert (aws.count("/good"), aws.count("/bad")) == (20, 20)
    statuses = WebhookMessage.objects.values_list("endpoint", "status").distinct()
    assert set(statuses) == {(good.pk, Status.DELIVERED), (bad.pk, Status.PENDING)}


def test_slow_endpoints_delay_no_other(loop: WebhookLoop, user: User, aws: ScriptedServer) -> None:
    ends = threading.Event()

    def wait() -> Answer:
        ends.wait(20)
        return Answer()

    aws.answers |= {"/slow": wait, "/quick": Answer()}
    slow, quick = make_endpoint(user, f"{aws.url}/slow"), make_endpoint(user, f"{aws.url}/quick")
    for _ in range(50):
        make_message(slow)
    for _ in range(20):
        make_message(quick)
    try:
        turn_until(loop, lambda: WebhookMessage.objects.filter(endpoint=quick, status=Status.DELIVERED).count() == 20)
        assert not WebhookMessage.objects.filter(endpoint=slow, status=Status.DELIVERED).exists()
    finally:
        ends.set()


def test_what_cannot_be_stored_is_stored_in_a_later_turn_and_not_sent_again(
    loop: WebhookLoop, user: User, aws: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.answers["/hook"] = Answer()
    make_message(make_endpoint(user, f"{aws.url}/hook"))
    store_them, failures = delivery.store, iter([True, True])

    def fail_twice(attempts: Any) -> None:
        if next(failures, False):
            raise DatabaseError("No.")
        store_them(attempts)

    monkeypatch.setattr(loop_module, "store", fail_twice)
    loop.turn(interval=5)
    for _ in range(2):
        with pytest.raises(DatabaseError):
            loop.turn(interval=0.1)
    loop.turn(interval=0.1)
    assert WebhookMessage.objects.get().status == Status.DELIVERED
    assert aws.count("/hook") == 1


def test_one_that_cannot_be_stored_keeps_no_other_from_it(
    loop: WebhookLoop, user: User, aws: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.answers["/hook"] = Answer()
    bad, good = (make_message(make_endpoint(user, f"{aws.url}/hook")) for _ in range(2))
    store_them = delivery.store

    def fail_with_bad(attempts: Any) -> None:
        if bad in [attempt.message for attempt in attempts]:
            raise OverflowError("No.")
        store_them(attempts)

    monkeypatch.setattr(loop_module, "store", fail_with_bad)
    loop.run_once(is_stopped=never)
    assert list(WebhookMessage.objects.filter(status=Status.DELIVERED)) == [good]
    assert aws.count("/hook") == 2


def test_without_work_a_turn_asks_three_questions(
    loop: WebhookLoop, user: User, django_assert_max_num_queries: Any
) -> None:
    loop.turn(interval=0.01)
    with django_assert_max_num_queries(3):
        loop.turn(interval=0.01)
