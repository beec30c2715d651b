"""Renders that somebody follows: how far they are, and that they are refreshed each second."""

from collections.abc import Collection, Iterable
from itertools import islice
from uuid import UUID

from renders.models import Render
from renders.services.events.news import News, progress_of
from renders.services.events.payload import FIELDS
from renders.services.refresh.lease import mark_watched

CHUNK = 10_000
"""Ids in one query: a database takes a limited number of parameters."""


class WatchedRenders:
    """What was told of the progress of followed renders. For one thread."""

    def __init__(self) -> None:
        self._told: dict[UUID, float] = {}

    def progressed(self, render_ids: Collection[UUID]) -> list[News]:
        """Return the progress of those that render, where it has changed since the last call.

        One query finds them; a second one reads those that have progressed.
        """
        progress: dict[UUID, float] = {}
        for chunk in _chunks(render_ids):
            rendering = Render.objects.with_status(Render.Status.RENDERING).filter(pk__in=chunk).order_by()
            progress |= dict(rendering.values_list("pk", "progress"))
        changed = [pk for pk, value in progress.items() if self._told.get(pk) != value]
        self._told = progress
        return [progress_of(render) for chunk in _chunks(changed) for render in _rows(chunk)]

    def keep_watched(self, render_ids: Collection[UUID]) -> None:
        """Let the worker refresh them each second, for some seconds more."""
        for chunk in _chunks(render_ids):
            mark_watched(chunk)


def _rows(ids: list[UUID]) -> Iterable[Render]:
    fields = (*FIELDS, "progressed_at")
    rows = Render.objects.select_related("template").only(*fields)
    return rows.filter(pk__in=ids, status=Render.Status.RENDERING).order_by()


def _chunks(ids: Collection[UUID]) -> Iterable[list[UUID]]:
    remaining = iter(ids)
    while chunk := list(islice(remaining, CHUNK)):
        yield chunk
