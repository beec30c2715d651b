"""What happens to renders in the tests of streams."""

from functools import partial

from django.utils import timezone

from renders.models import Render, transitions
from renders.services.refresh.apply import change_render


def progress(render: Render, value: float) -> None:
    change_render(render.pk, lambda row: row.set_fields(progress=value, progressed_at=timezone.now()))


def succeed(render: Render) -> None:
    done = partial(transitions.mark_succeeded, output_bucket="b", output_key="k", output_size=1, at=timezone.now())
    change_render(render.pk, done)


def fail(render: Render, reason: Render.FailureReason = Render.FailureReason.TIMED_OUT) -> None:
    change_render(render.pk, partial(transitions.mark_failed, reason=reason, error="Broken.", at=timezone.now()))
