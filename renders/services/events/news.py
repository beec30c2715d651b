"""Events as they are handed to those who follow them in this process."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

import msgspec

from renders.models import Event, Render
from renders.services.events.changes import ENDS
from renders.services.events.payload import render_data

Topic = tuple[str, UUID | int | None]
"""What one can follow: one render, the events of an owner (None: of nobody), or all. A field of Event and its value."""

ALL: Topic = ("all", None)


def of_render(render_id: UUID) -> Topic:
    return "render", render_id


def of_owner(owner_id: int | None) -> Topic:
    return "owner", owner_id


def visible_to(user: Any) -> Topic:
    """Return the topic of the events that the user may see, as ``RenderQuerySet.visible_to()``."""
    return ALL if user.has_perm("renders.view_render") else of_owner(user.pk)


@dataclass(frozen=True)
class News:
    """A stored event, or the progress of a render, which is not stored and has no id."""

    id: int | None
    type: str
    timestamp: datetime
    owner_id: int | None
    render_id: UUID | None
    data: dict[str, Any]

    @property
    def topics(self) -> Iterator[Topic]:
        """Who is to be told: progress only those who follow the render."""
        if self.render_id:
            yield of_render(self.render_id)
        if self.id is not None:
            yield of_owner(self.owner_id)
            yield ALL

    @property
    def is_end(self) -> bool:
        return self.type in ENDS.values()

    @cached_property
    def body(self) -> bytes:
        """The JSON of a webhook's body with the id, made once for all who follow."""
        told = {"type": self.type, "timestamp": self.timestamp, "data": self.data}
        return msgspec.json.encode(told if self.id is None else {"id": self.id, **told})


def stored_after(event_id: int, topic: Topic = ALL, *, types: Collection[str] = (), limit: int) -> list[News]:
    """Return the oldest events of the topic that were published after this one; without ``types``, of any."""
    events = Event.objects.filter(id__gt=event_id).order_by("id")
    if topic != ALL:
        field, value = topic
        events = events.filter(**{field: value})
    if types:
        events = events.filter(type__in=types)
    names = ("id", "type", "created_at", "owner_id", "render_id", "data")
    return [News(*row) for row in events.values_list(*names)[:limit]]


def newest_event_id() -> int:
    """Return the id of the newest event; 0 if there is none."""
    return Event.objects.order_by("-id").values_list("id", flat=True).first() or 0


def progress_of(render: Render) -> News:
    """Return how far the render is, as an event that is not stored."""
    at = render.progressed_at or render.created_at
    return News(None, Event.Type.PROGRESSED, at, render.owner_id, render.pk, render_data(render))


def end_of(render: Render) -> News:
    """Return how a render ended of which no event is stored."""
    at = render.finished_at or render.created_at
    return News(None, ENDS[render.status], at, render.owner_id, render.pk, render_data(render))
