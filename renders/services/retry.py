"""Do a render again that failed or was cancelled."""

from renders.models import Render
from renders.services.create import Created, create_render
from renders.services.errors import Conflict
from renders.services.idempotency import RESERVED_KEY_PREFIX
from renders.services.quotas import capped_priority, quota_of
from renders.services.render_request import RenderRequest


def retry_render(render: Render, *, start_now: bool = True) -> Created:
    """Create a new row with the same input, options and template, and the settings of today.

    That of a poster becomes its video's poster.

    Without ``start_now`` it is only queued.

    Raise Conflict unless the render failed or was cancelled and is not being retried already, and
    what ``create_render`` raises.
    """
    if render.status not in (Render.Status.FAILED, Render.Status.CANCELLED):
        raise Conflict(f"The render is {render.status}; only one that failed or was cancelled can be repeated.")
    # Read before the check below: of two requests at once, the second then has the key of the first.
    last = render.retries.order_by("-created_at").first()
    if active := render.retries.active().first():
        raise Conflict(f"The render is being repeated already, as {active.id}.")
    return create_render(
        owner=render.owner,
        request=RenderRequest(
            input_props=render.input_props,
            kind=render.kind,
            template=render.template,
            options=render.options,
            frame=render.frame,
            poster=render.poster_request,
            metadata=render.metadata,
            external_id=render.external_id,
            webhook_url=render.webhook_url,
        ),
        # Their quota may allow less by now.
        priority=capped_priority(render.priority, quota_of(render.owner)),
        retry_of=render,
        poster_of=render.poster_of,
        may_wait=True,
        start_now=start_now,
        idempotency_key=f"{RESERVED_KEY_PREFIX}retry of {render.id} after {last.id if last else 'itself'}",
    )
