"""A thousand open streams on one process: how soon each is told, and what they cost.

The service runs on uvicorn and PostgreSQL with 1,000 renders that render. First one stream follows each
of them, then a thousand follow all of them. Events are published from this process, which also reads
the streams; the time runs from the commit until a stream has the event. Queries are counted by
PostgreSQL: on a connection that commits each, they are transactions.
"""

import asyncio
import os
import re
import statistics
import time
from contextlib import ExitStack

import psutil
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, transaction

from renders.models import Event, Render
from renders.sandbox.network import free_port
from renders.services.events.publish import publish
from tests.benchmarks import rows
from tests.benchmarks.create import Service
from tests.benchmarks.processes import started
from tests.benchmarks.table import conclude, say

STREAMS = 1000
ROUNDS = 10
IDLE_SECONDS = 10
PAUSE_SECONDS = 1.5
STATISTICS_SECONDS = 11
"""An idle connection of PostgreSQL reports its transactions after ten seconds."""

ID = re.compile(rb"^id: (\d+)\n", re.MULTILINE)
LIMIT = 1.0
"""Seconds until the last of the streams should have an event, 95 times of 100."""


class Reader:
    """An open stream, which notes when it was told of each stored event."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.told_at: dict[int, float] = {}

    async def read(self) -> None:
        # An event that came in two parts is not found; `deliver()` would miss it.
        while part := await self.reader.read(1_000_000):
            self.told_at |= dict.fromkeys(map(int, ID.findall(part)), time.perf_counter())


class Server:
    """The web process, and what it uses."""

    def __init__(self, service: Service, port: int) -> None:
        self.process, self.port, self.headers = psutil.Process(service.process.pid), port, service.headers

    def memory(self) -> float:
        """In MB."""
        return float(self.process.memory_info().rss / 1e6)

    def cpu_seconds(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)

    async def open(self, path: str) -> Reader:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        headers = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n".encode())
        status = await reader.readline()
        assert b" 200 " in status, status
        return Reader(reader, writer)


def transactions() -> int:
    """How many transactions the database has committed, as of a second ago."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


async def idle(server: Server) -> str:
    cpu, committed = server.cpu_seconds(), transactions()
    await asyncio.sleep(IDLE_SECONDS)
    cpu, committed = server.cpu_seconds() - cpu, transactions() - committed - 1
    return f"CPU {cpu / IDLE_SECONDS * 100:.1f} %, {committed / IDLE_SECONDS:.1f} queries/s"


async def deliver(server: Server, readers: list[Reader], renders: list[Render]) -> tuple[list[float], float]:
    """Publish an event of each render; return the delays of all that was told, and the CPU for it, in seconds."""
    first = Event.objects.order_by("-id").values_list("id", flat=True).first() or 0
    cpu = server.cpu_seconds()
    with transaction.atomic():
        publish({render.pk: [Event.Type.STARTED] for render in renders})
    began = time.perf_counter()
    await asyncio.sleep(PAUSE_SECONDS)
    told = [at for reader in readers for id_, at in reader.told_at.items() if id_ > first]
    return [at - began for at in told], server.cpu_seconds() - cpu


async def measure(server: Server, name: str, paths: list[str], renders: list[Render], expected: int) -> float:
    """Return the p95 of the delays, in seconds."""
    began = time.perf_counter()
    readers = [await server.open(path) for path in paths]
    opened = time.perf_counter() - began
    reading = [asyncio.ensure_future(reader.read()) for reader in readers]
    await asyncio.sleep(STATISTICS_SECONDS)
    say(f"{name}: opened in {opened:.1f} s; {server.memory():.0f} MB, {server.process.num_threads()} threads")
    say(f"  idle: {await idle(server)}")
    delays, cpu = [], 0.0
    for _ in range(ROUNDS):
        told, spent = await deliver(server, readers, renders)
        assert len(told) == expected, f"{len(told)} events were told, and not {expected}"
        delays += told
        cpu += spent
    p95 = statistics.quantiles(delays, n=20)[-1]
    say(f"  told: median {statistics.median(delays):.3f} s, p95 {p95:.3f} s, CPU {cpu / len(delays) * 1e6:.0f} µs each")
    for reader, task in zip(readers, reading, strict=True):
        task.cancel()
        reader.writer.close()
    await asyncio.sleep(PAUSE_SECONDS)
    return p95


async def measure_all(server: Server) -> float:
    renders = list(Render.objects.all())
    of_each = [f"/api/renders/{render.pk}/events/" for render in renders]
    few = renders[:20]
    return max(
        await measure(server, "One stream", of_each[:1], renders[:1], 1),
        await measure(server, f"{STREAMS:,} streams, each of a render", of_each, renders, STREAMS),
        await measure(
            server, f"{STREAMS:,} streams of all renders", ["/api/events/"] * STREAMS, few, STREAMS * len(few)
        ),
    )


def run() -> bool:
    call_command("migrate", verbosity=0)
    rows.make(STREAMS)
    User.objects.create_superuser("ada")
    with ExitStack() as stack:
        port = free_port(0)
        command = ("uvicorn", "renderhub.asgi:application", "--no-access-log", "--log-level=warning", f"--port={port}")
        service = Service(stack.enter_context(started("-m", *command)), port)
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # the loop here may wait for the database
        p95 = asyncio.run(measure_all(Server(service, port)))
    return conclude("p95 of the time from the commit to a stream, s, the worst", p95, at_most=LIMIT)
