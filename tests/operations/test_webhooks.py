"""Webhooks that a worker delivers, as a real process that is killed."""

import json
import signal

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from renders.models import Event, EventCursor, Render, WebhookMessage
from renders.services.events.publish import publish
from renders.services.webhooks import fan_out
from renders.services.webhooks.secrets import secret_of
from tests.factories import make_endpoint, make_message, make_render
from tests.operations.processes import Workers, wait_until
from tests.servers import Answer, ScriptedServer

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_event_is_delivered_and_the_official_library_verifies_it(
    user: User, aws: ScriptedServer, start_worker: Workers
) -> None:
    aws.answers["/hook"] = Answer()
    endpoint, render = make_endpoint(user, f"{aws.url}/hook"), make_render(Render.Status.SUCCEEDED, owner=user)
    # On PostgreSQL a notification wakes the worker, and not its interval.
    worker = start_worker(interval=30 if connection.vendor == "postgresql" else 0.2)
    wait_until(lambda: "has started" in worker.log)
    publish({render.pk: [Event.Type.SUCCEEDED]})
    wait_until(lambda: aws.count("/hook"), seconds=15)
    wait_until(lambda: WebhookMessage.objects.filter(status="delivered").exists())
    event = Webhook(secret_of(endpoint)).verify(aws.requests[-1][2], aws.headers[-1])
    assert (event["type"], event["data"]["id"]) == ("render.succeeded", str(render.pk))
    assert worker.stop() == 0


def test_what_a_killed_one_was_sending_is_sent_again_when_its_lease_ends(
    user: User, aws: ScriptedServer, start_worker: Workers
) -> None:
    aws.answers["/hook"] = Answer(delay=30)
    endpoint, render = make_endpoint(user, f"{aws.url}/hook"), make_render(Render.Status.SUCCEEDED, owner=user)
    first, second = make_message(endpoint, render), make_message(endpoint, render)
    # Their events are handed on, or the worker would make two more messages of them.
    EventCursor.objects.create(name=fan_out.CURSOR, last_event_id=Event.objects.latest("id").pk)
    victim = start_worker()
    wait_until(lambda: aws.count("/hook") == 1)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    aws.answers["/hook"] = Answer()
    first.refresh_from_db()
    assert (first.status, first.attempt_count) == ("pending", 0)
    assert first.next_attempt_at > timezone.now()  # leased
    WebhookMessage.objects.filter(pk=first.pk).update(next_attempt_at=timezone.now())
    start_worker()
    wait_until(lambda: WebhookMessage.objects.filter(status="delivered").count() == 2, seconds=30)
    ids = [headers["webhook-id"] for headers in aws.headers]
    assert ids == [str(first), str(first), str(second)]
    assert all(json.loads(body)["data"] == {"id": "a"} for _, _, body in aws.requests)
