"""``?wait=20``: answer when a render has ended, or the time is over."""

import asyncio
from functools import partial

from rest_framework import serializers
from rest_framework.request import Request

from renders.api.input import QuerySerializer
from renders.api.streams.connection import access_of, loop_of
from renders.api.streams.postponed import POSTPONED, PostponedResponse
from renders.models import Render
from renders.services.events.hub import hub
from renders.services.events.news import of_render
from renders.services.events.subscription import Subscription, SubscriptionEnded

LONGEST = 60


class WaitField(serializers.IntegerField):
    default_error_messages = dict.fromkeys(
        ("invalid", "min_value", "max_value", "max_string_length"), f"Send a whole number of seconds, 1 to {LONGEST}."
    )


class WaitQuerySerializer(QuerySerializer):
    wait = WaitField(
        required=False, min_value=1, max_value=LONGEST, help_text="Answer when it has ended, or after so many seconds."
    )


def wait_for_end(request: Request, render: Render, *, seconds: int | None) -> PostponedResponse | None:
    """Return the response that postpones the answer; None if there is nothing to wait for. Raise StreamsUnavailable."""
    if not seconds or render.is_terminal or POSTPONED in request.META:
        return None
    access = access_of(request, needs_permission=render.owner_id != request.user.pk)
    subscription = Subscription(of_render(render.pk), loop=loop_of(request), access=access)
    hub.subscribe(subscription)
    try:
        # It may have ended since it was read.
        has_ended = Render.objects.filter(pk=render.pk, status__in=Render.TERMINAL).exists()
    except BaseException:
        hub.unsubscribe(subscription)
        raise
    until = partial(_end_of_render, subscription, seconds=0 if has_ended else seconds)
    return PostponedResponse(until, end=partial(hub.unsubscribe, subscription))


async def _end_of_render(subscription: Subscription, *, seconds: float) -> None:
    """Return when the render has ended, or after so many seconds."""
    loop = asyncio.get_running_loop()
    over_at = loop.time() + seconds
    try:
        while (left := over_at - loop.time()) > 0:
            if any(news.is_end for news in await subscription.get(seconds=left)):
                return
    except SubscriptionEnded:
        return
