"""``kill -9`` of each process at each stage of a start."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import connection, transaction

from tests.faults.gate import TIME_LIMIT_SECONDS, Gate
from tests.faults.inject import queue
from tests.faults.report import say
from tests.faults.service import Service
from tests.faults.trials import Trial


def kill_in_calls(trials: Sequence[Trial], service: Service, gate: Gate) -> None:
    """Let each trial's start come to its stage, kill its process there, and start the process again."""
    for trial in trials:
        gate.arm(trial.fault, trial.mark)
        if trial.way == "worker":
            queue(trial, is_first=True)
        else:
            threading.Thread(target=service.post_until, args=(gate.reached.is_set, trial)).start()
        _wait(gate.reached, trial)
        if trial.fault == "before the save":
            with _blocked_saves():
                gate.go_on.set()
                _wait(gate.answered, trial)
                service.kill(trial.way)
        else:
            service.kill(trial.way)
            gate.go_on.set()
        trial.injected += 1
        service.start(trial.way)
        say(f"killed {trial.way} {trial.fault}")


def _wait(event: threading.Event, trial: Trial) -> None:
    if not event.wait(TIME_LIMIT_SECONDS):
        raise SystemExit(f"No start of the {trial.way} came to be killed {trial.fault}.")


@contextmanager
def _blocked_saves() -> Iterator[None]:
    """Keep every other process from saving a row meanwhile."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            connection.cursor().execute("LOCK TABLE renders_render IN EXCLUSIVE MODE")
        yield
