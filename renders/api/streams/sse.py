"""Server-Sent Events: how news are written, and where a client resumes.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from collections.abc import Iterable, Sequence
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from renders.api.input import QuerySerializer
from renders.models import Event
from renders.services.events.news import News

CONTENT_TYPE = "text/event-stream"
HEADERS = {
    "Cache-Control": "no-cache",
    "X-Accel-Buffering": "no",  # nginx passes each event on at once
}
RETRY = b"retry: 2000\n\n"
"""Milliseconds after which a browser resumes a stream that has ended or broken."""

HEARTBEAT = b": still here\n\n"
MAX_EVENT_ID = 2**63 - 1

NO_EVENT_ID = "Send the id of an event, or leave it out."


def encode(news: Iterable[News]) -> bytes:
    """Return the news as they go over the wire; JSON has no line breaks."""
    return b"".join(
        b"%sevent: %s\ndata: %s\n\n"
        % (b"" if item.id is None else b"id: %d\n" % item.id, item.type.encode(), item.body)
        for item in news
    )


class JSONErrors(BaseContentNegotiation):
    """Take any ``Accept`` header: a browser asks for ``text/event-stream``, and errors are JSON all the same."""

    def select_parser(self, request: Request, parsers: Sequence[BaseParser]) -> BaseParser:  # type: ignore[override]
        return parsers[0]

    def select_renderer(  # type: ignore[override]
        self, request: Request, renderers: Sequence[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str | None]:
        return renderers[0], renderers[0].media_type


class EventIdField(serializers.IntegerField):
    default_error_messages = dict.fromkeys(("invalid", "min_value", "max_value", "max_string_length"), NO_EVENT_ID)

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=MAX_EVENT_ID, **options)


class ResumeQuerySerializer(QuerySerializer):
    lastEventId = EventIdField(  # noqa: N815
        required=False, help_text="Resume after this event; the header Last-Event-ID goes before."
    )


class TypesField(serializers.CharField):
    """Names of events, separated by commas."""

    def to_internal_value(self, data: Any) -> frozenset[str]:  # type: ignore[override]
        names = frozenset(super().to_internal_value(data).split(","))
        if not names <= set(Event.Type.values):
            raise ValidationError([f"Send names separated by commas, of {', '.join(Event.Type.values)}."])
        return names


class FeedQuerySerializer(ResumeQuerySerializer):
    types = TypesField(required=False, help_text="Only events of these types.")


def last_event_id(request: Request, query: dict[str, Any]) -> int | None:
    """Return after which event a client resumes; None if it begins. Raise ValidationError."""
    if not (header := request.headers.get("Last-Event-ID")):
        return query.get("lastEventId")
    try:
        return EventIdField().run_validation(header)
    except ValidationError as err:
        raise ValidationError({"Last-Event-ID": [NO_EVENT_ID]}) from err
