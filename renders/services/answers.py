"""Transitions of a row whose call Remotion has answered: the render started, a still is finished or failed."""

from django.utils import timezone

from renders.models import Render, transitions
from renders.remotion import console
from renders.remotion.errors import StillFailed
from renders.remotion.start import StartedRender
from renders.remotion.still import FinishedStill
from renders.services.reuse import reuse_key


def mark_started(render: Render, *, started: StartedRender) -> None:
    """Transition of a render whose renderId has become known, by whichever way: from now on it can be reused."""
    place = {"region": render.region, "render_id": started.render_id}
    method = "still" if render.kind == Render.Kind.STILL else "renderer"
    has_changed = transitions.mark_rendering(
        render,
        render_id=started.render_id,
        bucket_name=started.bucket_name,
        cloudwatch_logs=console.cloudwatch_logs_url(function_name=render.function_name, method=method, **place),
        folder_in_s3_console=console.s3_folder_url(bucket_name=started.bucket_name, **place),
    )
    if has_changed and not render.reuse_key and render.poster_of_id is None:
        render.set_fields(reuse_key=reuse_key(render))


def mark_still_finished(render: Render, *, finished: FinishedStill) -> None:
    """Transition of a still whose call has answered with the picture."""
    mark_started(render, started=StartedRender(finished.render_id, finished.bucket_name))
    now = timezone.now()
    transitions.record_cost(
        render, cost=finished.cost, currency=finished.currency, artifacts=finished.artifacts, at=now
    )
    transitions.mark_succeeded(
        render,
        output_bucket=finished.output_bucket,
        output_key=finished.output_key,
        output_size=finished.output_size,
        at=now,
    )


def mark_still_failed(render: Render, *, failure: StillFailed) -> None:
    """Transition of a still whose call has answered why it could not be rendered."""
    reason = Render.FailureReason.RENDER_ERROR
    if failure.render_id and render.configured_bucket and not render.render_id:
        # So that its log is linked, and its folder is deleted with it.
        mark_started(render, started=StartedRender(failure.render_id, render.configured_bucket))
    if transitions.mark_failed(render, reason, error=str(failure), at=timezone.now()):
        render.set_fields(errors=failure.errors)
