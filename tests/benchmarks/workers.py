"""Two workers against one, while S3 takes 30 ms for each answer; and no render is read twice.

Each worker is a process with the threads that `render_worker` has; the rows are due at once. S3
counts what it is asked for.
"""

import json
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack

from django.core.management import call_command
from django.db import connection

from renders.sandbox.network import bypass_proxies_for_loopback
from tests.benchmarks import rows
from tests.benchmarks.processes import started
from tests.benchmarks.refresh import refresh_all
from tests.benchmarks.table import conclude, ratio, rounds, show

ONE, TWO = "one worker", "two workers"
RENDERS = 4000
READY = "ready"
SET_UP = "import django; django.setup()"


class Worker:
    """A process that refreshes what is due when told to."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.wait()

    def go(self) -> None:
        assert self.process.stdin
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def wait(self) -> None:
        assert self.process.stdout
        if self.process.stdout.readline().strip() != READY:
            raise SystemExit("A worker of the benchmark ended.")


def work() -> None:
    """What each worker process runs."""
    say_ready = f"{READY}\n"
    sys.stdout.write(say_ready)
    sys.stdout.flush()
    for _ in sys.stdin:
        refresh_all()
        sys.stdout.write(say_ready)
        sys.stdout.flush()


class Contenders:
    def __init__(self, url: str, workers: list[Worker]) -> None:
        self.url = url
        self.workers = workers
        self.read_twice = 0

    def measure(self, count: int) -> float:
        """Rows a second with so many workers."""
        rows.make_due()
        self.requests()
        began = time.perf_counter()
        for worker in self.workers[:count]:
            worker.go()
        for worker in self.workers[:count]:
            worker.wait()
        rate = RENDERS / (time.perf_counter() - began)
        total, different = self.requests()
        assert different == RENDERS
        self.read_twice += total - different
        return rate

    def requests(self) -> tuple[int, int]:
        with urllib.request.urlopen(f"{self.url}/requests", timeout=10) as response:  # noqa: S310
            total, different = json.load(response)
        return total, different


def run() -> bool:
    bypass_proxies_for_loopback()
    call_command("migrate", verbosity=0)
    rows.make(RENDERS)
    connection.close()
    with ExitStack() as stack:
        slow = stack.enter_context(started("-c", f"{SET_UP}; from tests.benchmarks import slow_s3; slow_s3.serve()"))
        assert slow.stdout
        url = slow.stdout.readline().strip()
        keys = {"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "not-a-secret", "AWS_ENDPOINT_URL_S3": url}
        code = f"{SET_UP}; from tests.benchmarks import workers; workers.work()"
        processes = [stack.enter_context(started("-c", code, **keys)) for _ in range(2)]
        contenders = Contenders(url, [Worker(process) for process in processes])
        contenders.measure(2)
        results = rounds({ONE: lambda: contenders.measure(1), TWO: lambda: contenders.measure(2)})
    show(results, unit="rows/s", against={TWO: ONE})
    is_met = [
        conclude("Renders that were read twice", contenders.read_twice, at_most=0),
        conclude("Two workers over one", ratio(results, TWO, ONE), at_least=1.5),
    ]
    return all(is_met)
