"""``kill -9`` of each process at each stage of a start."""

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from tests.faults.gate import Gate
from tests.faults.inject import queue
from tests.faults.service import Service
from tests.faults.trials import KILLS, WAYS


def kill_in_calls(service: Service, gate: Gate) -> None:
    """``kill -9`` of each process at each stage of a call."""
    for name, stage in itertools.product(WAYS, KILLS):
        mark = f"Killed {name} {stage}"
        gate.arm("during the call" if stage == "before the save" else stage, mark)
        if name == "web":
            arguments = (gate.reached.is_set, "/api/lambda/render", mark)
            caller = threading.Thread(target=service.post_until, args=arguments)
            caller.start()
        else:
            queue(mark, first=True)
        if not gate.reached.wait(60):
            raise SystemExit(f"No call came to be killed {stage}.")
        if stage == "before the save":
            with _blocked_saves():
                # The answer has arrived, and the row cannot take it.
                gate.go_on.set()
                time.sleep(1)
                service.kill(name)
        else:
            service.kill(name)
            gate.go_on.set()
        service.start(name)


@contextmanager
def _blocked_saves() -> Iterator[None]:
    """No other process can save a row meanwhile."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            connection.cursor().execute("LOCK TABLE renders_render IN EXCLUSIVE MODE")
        yield
