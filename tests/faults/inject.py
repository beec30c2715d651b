"""Send each trial's request."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.utils import timezone

from renders.models import Render
from renders.remotion.options import CODEC, FRAMES_PER_LAMBDA, RenderOptions
from renders.remotion.target import LambdaTarget
from renders.services.dispatch import configuration
from tests.faults.report import say
from tests.faults.service import Service
from tests.faults.trials import Plan, Trial

PACE = 1.0
"""Seconds between two trials: about what two cores render."""


def queue(mark: str, *, first: bool = False) -> None:
    """A row that waits for the worker, as POST /api/renders/ leaves it where there is no room."""
    Render.objects.create(
        **configuration(LambdaTarget.from_settings(), RenderOptions.from_settings()),
        status=Render.Status.QUEUED,
        input_props={"code": mark, "durationInFrames": 1, "fps": 30},
        frames_per_lambda=FRAMES_PER_LAMBDA,
        codec=CODEC,
        slots_needed=2,
        queue_rank=timezone.now() - timedelta(days=int(first)),
    )


def inject(trials: list[Trial], plan: Plan, service: Service) -> None:
    """Sends the trials' requests, one after the other."""

    def run(trial: Trial) -> None:
        plan.trials[trial.mark] = trial
        if trial.way == "worker":
            queue(trial.mark)
        else:
            # The two addresses take turns; where there is no room, as a client would, again.
            path = "/api/lambda/render" if trial.number % 4 < 2 else "/api/renders/"
            service.post_until(lambda: bool(trial.injected), path, trial.mark)

    with ThreadPoolExecutor(16) as callers:
        sent = []
        for trial in trials:
            sent.append(callers.submit(run, trial))
            say(f"\r{len(sent)} of {len(trials)} faults sent", end="")
            time.sleep(PACE)
    for call in sent:
        call.result()
    say()
