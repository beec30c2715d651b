"""Keeping rows true: claim, read, compute, save, against the official client's progress call.

Ours is what a worker does, with its threads, on 10,000 renders that are due: all with news, or
none. The official client calls Lambda, a stub that answers at once with what `status` answered,
and the row is saved after each call. S3 and Lambda speak TLS, as AWS does. SQLite and a run with
100,000 due rows are told beside, each in a process of its own.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psutil
from django.core.management import call_command
from django.db import connection
from django.test import override_settings
from django.utils import timezone
from remotion_lambda import RemotionClient

from renders.models import RefreshState, Render
from renders.operations.worker import REFRESH_THREADS
from renders.sandbox.network import bypass_proxies_for_loopback
from renders.services.refresh.circuit_breaker import CircuitBreaker
from renders.services.refresh.engine import refresh_due
from tests.benchmarks import rows, s3
from tests.benchmarks.processes import started
from tests.benchmarks.table import conclude, ratio, rounds, say, show
from tests.factories import load_recording

CHANGED, UNCHANGED, OFFICIAL = "news of every row", "no news (304)", "get_render_progress, save"
CALLS = 100
MANY = 100_000
MOST_MEGABYTES = 200


def refresh_all() -> float:
    """Rows a second until none is due that was due at the start, with as many threads as a worker has."""
    breaker = CircuitBreaker()
    began_at = timezone.now()

    def refresh(_: int) -> int:
        count = 0
        try:
            # The longest due come first: what has been read is not read again before the rest.
            while RefreshState.objects.due(began_at).exists() and (results := refresh_due(breaker)):
                assert not (errors := [result.error for result in results if result.error]), errors[0]
                count += len(results)
            return count
        finally:
            connection.close()

    began = time.perf_counter()
    with ThreadPoolExecutor(REFRESH_THREADS) as readers:
        count = sum(readers.map(refresh, range(REFRESH_THREADS)))
    return count / (time.perf_counter() - began)


class Contenders:
    """Each leaves the rows as it found them but for their news; the versions of the files alternate."""

    def __init__(self, server: s3.S3, lambda_url: str) -> None:
        self.server = server
        self.version = 0
        os.environ["AWS_ENDPOINT_URL_LAMBDA"] = lambda_url
        os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"] = "AKIATEST", "not-a-secret"
        self.official = RemotionClient(region="us-east-1", serve_url="renderhub", function_name="remotion-render")

    def changed(self) -> float:
        self.version = 1 - self.version
        return self._refresh()

    def unchanged(self) -> float:
        return self._refresh()

    def _refresh(self) -> float:
        rows.make_due()
        with override_settings(**self.server.settings(self.version)):
            return refresh_all()

    def ask_officially(self) -> float:
        renders = list(Render.objects.all()[:CALLS])
        began = time.perf_counter()
        for render in renders:
            progress = self.official.get_render_progress(render.render_id, render.bucket_name)
            assert progress
            render.progress = progress.overallProgress
            render.save()
        return CALLS / (time.perf_counter() - began)


def run() -> bool:
    bypass_proxies_for_loopback()
    call_command("migrate", verbosity=0)
    with ExitStack() as stack:
        server = stack.enter_context(s3.served())
        status = server.folder / "status.json"
        status.write_text(json.dumps(load_recording("succeeds")[10]["status"]))
        stub = stack.enter_context(started("-m", "tests.benchmarks.stub", str(status), str(server.folder)))
        assert stub.stdout
        rows.make(s3.RENDERS)
        contenders = Contenders(server, stub.stdout.readline().strip())
        contenders.changed()
        results = rounds(
            {
                CHANGED: contenders.changed,
                UNCHANGED: contenders.unchanged,
                OFFICIAL: contenders.ask_officially,
            }
        )
        assert RefreshState.objects.count() == s3.RENDERS
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        sqlite = _in_another_process(server, f"sqlite:///{folder}/db.sqlite3", s3.RENDERS)
        many = _in_another_process(server, os.environ["DATABASE_URL"], MANY)
    show(results, unit="rows/s", against={CHANGED: OFFICIAL, UNCHANGED: CHANGED})
    say(f"On SQLite: {sqlite['changed']:,.0f} rows/s with news, {sqlite['unchanged']:,.0f} without.")
    say(
        f"{MANY:,} due rows: {many['changed']:,.0f} rows/s with news, {many['unchanged']:,.0f} without,"
        f" at most {many['megabytes']:.0f} MB resident ({many['before']:.0f} MB before)."
    )
    is_met = [
        conclude("Resident memory in MB with 100,000 due rows", many["megabytes"], at_most=MOST_MEGABYTES),
        conclude("Rows without news over rows with", ratio(results, UNCHANGED, CHANGED), at_least=2),
        conclude("Rows with news over the official client's call", ratio(results, CHANGED, OFFICIAL), at_least=40),
    ]
    return all(is_met)


def _in_another_process(server: s3.S3, database_url: str, count: int) -> dict[str, float]:
    """What ``rates`` says, on another database or with a memory of its own."""
    connection.close()
    _call(database_url, "prepare", count)
    figures: dict[str, float] = json.loads(_call(database_url, "rates", server.urls[0]))
    return figures


def _call(database_url: str, function: str, argument: str | int) -> bytes:
    """Calls a function of this module in a process of its own; its output."""
    code = f"import django; django.setup(); from tests.benchmarks import refresh; refresh.{function}({argument!r})"
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent.parent.parent,
        env={**os.environ, "DATABASE_URL": database_url},
        stdout=subprocess.PIPE,
        check=True,
    ).stdout


def prepare(count: int) -> None:
    call_command("migrate", verbosity=0)
    rows.make(count)


def rates(url: str) -> None:
    """Prints the rates for the rows that there are, with news and without, and the memory, as JSON."""
    figures: dict[str, float] = {"before": psutil.Process().memory_info().rss / 1e6}
    with override_settings(**s3.S3([url], Path()).settings()):
        for name in ("changed", "unchanged"):
            rows.make_due()
            figures[name] = refresh_all()
    figures["megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    sys.stdout.write(json.dumps(figures))
