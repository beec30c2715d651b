"""Publish events: store them in the transaction that changes the renders. Whoever is told of them reads them there."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from renders.models import Event, Render, RenderText, WebhookEndpoint
from renders.services.batches.complete import complete_batches, completed_event
from renders.services.events.changes import ENDS, event_types
from renders.services.events.payload import FIELDS, render_data
from renders.services.statistics.ends import count_ends, ends_to_undo
from renders.services.usage import record

Type = Event.Type
Types = Mapping[UUID, Sequence[Event.Type]]
"""What happened to each render, by its id."""

END_TYPES = frozenset(ENDS.values())
WITH_ERROR = frozenset({Type.FAILED, Type.RECOVERED})
"""What happened to a render whose error is another than before, so that it is found by other words."""


def happened(renders: Iterable[Render]) -> Types:
    """Return what happened to changed rows that are not saved yet."""
    return {render.pk: types for render in renders if (types := event_types(render))}


def publish(types_of: Types) -> None:
    """Store an event for each of these, of renders whose rows are saved; count those that ended, and what they used.

    Call it at the very end of the transaction that changes them: it takes the lock under which events are inserted.
    A batch whose last render has ended is completed, and that is an event too.
    ``render.progressed`` is stored only where an endpoint wants it: streams read the progress of rows.
    """
    if wanted := _without_unwanted_progress(types_of):
        chosen = Render.objects.filter(pk__in=wanted).select_related("template").order_by()
        rows = list(chosen.only(*FIELDS, *record.FIELDS))
        events = [_event(row, type_) for row in rows for type_ in wanted[row.pk]]
        ended = [row for row in rows if not END_TYPES.isdisjoint(wanted[row.pk])]
        # Their rows are locked, so it comes before the lock under which no other is waited for.
        events += [
            completed_event(batch) for batch in complete_batches({row.batch_id for row in ended if row.batch_id})
        ]
        RenderText.objects.update_errors(row for row in rows if not WITH_ERROR.isdisjoint(wanted[row.pk]))
        recovered = [pk for pk, types in wanted.items() if Type.RECOVERED in types]
        undone = ends_to_undo(recovered, end_types=END_TYPES)
        Event.objects.lock_publishing()
        Event.objects.bulk_create(events)
        record.record_ends(ended)
        if ended or undone:
            count_ends(ended, undone=undone)


def publish_queued(renders: Iterable[Render]) -> None:
    """Store that these new renders wait; call it like ``publish()``."""
    publish({render.pk: [Type.QUEUED] for render in renders if render.status == Render.Status.QUEUED})


def _without_unwanted_progress(types_of: Types) -> dict[UUID, Sequence[Event.Type]]:
    wanted = {pk: types for pk, types in types_of.items() if list(types) != [Type.PROGRESSED]}
    if len(wanted) == len(types_of):
        return wanted
    progressed = types_of.keys() - wanted.keys()
    owners = {endpoint.owner_id for endpoint in WebhookEndpoint.objects.wanting(Type.PROGRESSED)}
    if owners:
        owner_of = Render.objects.filter(pk__in=progressed).order_by().values_list("pk", "owner_id")
        wanted |= {pk: types_of[pk] for pk, owner_id in owner_of if owner_id in owners}
    return wanted


def _event(render: Render, type_: Event.Type) -> Event:
    return Event(type=type_, owner_id=render.owner_id, render=render, data=render_data(render))
