"""Cancel a render."""

import logging
from functools import partial

from django.utils import timezone

from renders.models import Render, transitions
from renders.remotion import storage
from renders.remotion.errors import RemotionError
from renders.remotion.target import LambdaTarget
from renders.services.errors import Conflict
from renders.services.refresh.apply import change_render

logger = logging.getLogger(__name__)


def cancel_render(render: Render, *, send_now: bool = True) -> Render:
    """Cancel a queued render at once; ask Remotion to cancel one that was submitted.

    That row becomes ``cancelled`` when a refresh finds that Remotion has cancelled it, or
    ``succeeded`` if it was faster. Without ``send_now`` the request is stored in the row only, and
    the next refresh, due within a second, asks Remotion. Raise Conflict if the render has ended.
    """
    try:
        render = change_render(render.pk, partial(transitions.request_cancel, at=timezone.now()))
    except transitions.IllegalTransition as err:
        raise Conflict(str(err)) from err
    return _send(render) if send_now and render.status == Render.Status.RENDERING else render


def _send(render: Render) -> Render:
    """Ask Remotion to cancel the render. If that fails, the row says so, and each refresh asks again."""
    target = LambdaTarget.in_region(render.region)
    try:
        storage.request_cancel(target, bucket_name=render.bucket_name, render_id=render.render_id)
    except RemotionError as err:
        logger.warning("Render %s could not be cancelled yet: %s", render.id, err, extra=render.log_fields)
        return change_render(render.pk, partial(transitions.record_cancel_unsent, error=str(err)))
    return change_render(render.pk, partial(transitions.record_cancel_sent, at=timezone.now()))
