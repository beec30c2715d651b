"""Which events the change of a row is. Pure."""

from renders.models import Event, Render

Type = Event.Type
Status = Render.Status

ENDS: dict[str, Event.Type] = {
    Status.SUCCEEDED: Type.SUCCEEDED,
    Status.FAILED: Type.FAILED,
    Status.CANCELLED: Type.CANCELLED,
}


def event_types(render: Render) -> list[Event.Type]:
    """Return what happened to a changed row, in order, before its changes are saved.

    A still is started and ends in one change. A render that is queued again is no news.
    """
    before, now = render.status_before, render.status
    types: list[Event.Type] = []
    if before is None or before == now:
        has_progressed = "progress" in render.changed_fields and now == Status.RENDERING
        return [Type.PROGRESSED] if has_progressed else []
    if before in Render.TERMINAL:
        types.append(Type.RECOVERED)
    elif before == Status.SUBMITTING and render.render_id:
        types.append(Type.STARTED)
    if now in ENDS:
        types.append(ENDS[now])
    return types
