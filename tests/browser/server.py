"""The service on the test's database, as a process on uvicorn."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from tests.api.streams.server import running_stream_server
from tests.conftest import CREDENTIALS

THREADS = 8


@contextmanager
def running_service(log: Path, **variables: str) -> Iterator[str]:
    """Run it with the test's settings and further ``variables`` until the end of the block; yield its address."""
    given = {name: str(getattr(settings, name)) for name in CREDENTIALS if name != "ALLOWED_HOSTS"}
    with running_stream_server(log, **given, RENDERHUB_WEB_THREADS=str(THREADS), **variables) as server:
        yield f"http://127.0.0.1:{server.port}"
