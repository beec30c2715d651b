"""Send each trial's request."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from renders.models import Render
from renders.remotion.target import LambdaTarget
from renders.services.dispatch import configuration
from renders.services.render_request import RenderRequest
from tests.faults.report import say
from tests.faults.service import Service
from tests.faults.trials import Plan, Trial

PACE_SECONDS = 1.0
MOST_RENDERING = 5
"""Renders under way at most when the next trial is sent: more than two cores can do in time fail by the time limit."""


def inject(trials: Sequence[Trial], plan: Plan, service: Service) -> None:
    """Send the trials' requests, one after the other, and wait for their answers."""

    def run(trial: Trial) -> None:
        plan.trials[trial.mark] = trial
        if trial.way == "worker":
            queue(trial)
        else:
            service.post_until(lambda: bool(trial.injected), trial)

    with ThreadPoolExecutor(16) as callers:
        sent = []
        for trial in trials:
            sent.append(callers.submit(run, trial))
            say(f"\r{len(sent)} of {len(trials)} faults sent", end="")
            time.sleep(PACE_SECONDS)
            while Render.objects.filter(status=Render.Status.RENDERING).count() >= MOST_RENDERING:
                time.sleep(PACE_SECONDS)
    for call in sent:
        call.result()
    say()


def queue(trial: Trial, *, is_first: bool = False) -> None:
    """Make a row that waits for the worker, as POST /api/renders/ does where AWS has no room."""
    try:
        kind, frame = (Render.Kind.STILL, 0) if trial.is_still else (Render.Kind.VIDEO, None)
        Render.objects.create(
            **RenderRequest(input_props=trial.input_props, kind=kind, frame=frame).row_fields(),
            **configuration(LambdaTarget.from_settings()),
            status=Render.Status.QUEUED,
            queue_rank=timezone.now() - timedelta(days=int(is_first)),
        )
    finally:
        connection.close()  # each thread has its own
