from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.operations.processes import WorkerProcess, Workers


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[Workers]:
    """Start ``render_worker`` as a process on the test's database; end those that are left."""
    started: list[WorkerProcess] = []

    def start(*, interval: float = 0.2, **variables: str) -> WorkerProcess:
        started.append(WorkerProcess(tmp_path / f"worker-{len(started)}.log", interval=interval, **variables))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
