"""What a person may ask of a render that there is: to stop it, or to do it again."""

from functools import partial

from django.utils import timezone

from renders.models import IllegalTransition, Render
from renders.remotion.config import RemotionConfig
from renders.services.rows import ask_to_stop, change, config_of
from renders.services.start import Created, create_render

OWN_KEYS = "→ "
"""Begins the idempotency keys that we make: no caller's can, since those are ASCII."""


class Conflict(Exception):
    """The render's status does not allow what was asked."""


def cancel_render(render: Render) -> Render:
    """Ends a queued render at once; asks Remotion to stop one that has been submitted.

    That one is ``cancelled`` when a refresh finds that Remotion has stopped, or ``succeeded`` if
    it was faster. Raises Conflict for a render that is over.
    """
    try:
        render = change(render.pk, partial(Render.request_cancel, at=timezone.now()))
    except IllegalTransition as err:
        raise Conflict(str(err)) from err
    if render.status == Render.Status.RENDERING:
        ask_to_stop(render, config_of(render, RemotionConfig.from_settings()))
    return render


def retry_render(render: Render) -> Created:
    """A new row with the same input and today's settings, for one that failed or was cancelled.

    Raises Conflict for any other, and what ``create_render`` raises.
    """
    if render.status not in (Render.Status.FAILED, Render.Status.CANCELLED):
        raise Conflict(f"The render is {render.status}; only one that failed or was cancelled can be repeated.")
    # Read before the check below, so that of two requests at once the second has the first one's key.
    last = render.retries.order_by("-created_at").first()
    if again := render.retries.active().first():
        raise Conflict(f"The render is being repeated already, as {again.id}.")
    return create_render(
        owner=render.owner,
        input_props=render.input_props,
        priority=render.priority,
        retry_of=render,
        may_wait=True,
        idempotency_key=f"{OWN_KEYS}retry of {render.id} after {last.id if last else 'itself'}",
    )
