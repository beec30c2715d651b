import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from tests.operations.processes import WorkerProcess, Workers

PASSWORD = "a-password-of-nobody"


@pytest.fixture(scope="session")
def unreachable_database() -> Iterator[str]:
    """A URL of PostgreSQL at a port that refuses connections, because nobody listens there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"postgres://ada:{PASSWORD}@127.0.0.1:{taken.getsockname()[1]}/renderhub"


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A URL of a database without tables, on the server that the tests run on."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('empty') / 'db.sqlite3'}"
        return
    server, name = os.environ["DATABASE_URL"].rpartition("/")[0], f"renderhub_empty_{os.getpid()}"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{server}/{name}"
        finally:
            admin.execute(f"DROP DATABASE {name}")


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[Workers]:
    """Start ``render_worker`` as a process on the test's database; end those that are left, and show their logs."""
    started: list[WorkerProcess] = []

    def start(*, interval: float = 0.2, **variables: str) -> WorkerProcess:
        started.append(WorkerProcess(tmp_path / f"worker-{len(started)}.log", interval=interval, **variables))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        sys.stdout.write(process.log)
