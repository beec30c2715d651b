"""The service on uvicorn as a real process on the test's database, and clients of its streams."""

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from renders.sandbox.network import free_port
from tests.operations.processes import database_url, wait_until

THREADS = 2


@dataclass
class Message:
    """One event of a stream; ``comment`` where it is none."""

    id: int | None = None
    type: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    comment: str = ""


class Stream:
    """An open stream, read event by event."""

    def __init__(self, response: http.client.HTTPResponse, connection: http.client.HTTPConnection) -> None:
        self.response, self.connection = response, connection

    def __iter__(self) -> Iterator[Message]:
        """Yield each event until the server ends the stream; TimeoutError if none comes for long."""
        lines: dict[str, str] = {}
        for line in self.response:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "" and not value and lines:
                if "data" in lines:
                    yield Message(
                        int(lines["id"]) if "id" in lines else None, lines["event"], json.loads(lines["data"])
                    )
                lines = {}
            else:
                lines[name] = value

    def close(self) -> None:
        self.response.close()
        self.connection.close()


class StreamServer:
    def __init__(self, process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
        self.process, self.port, self.log = process, port, log
        self.headers: dict[str, str] = {}
        self._streams: list[Stream] = []

    def close_streams(self) -> None:
        while self._streams:
            self._streams.pop().close()

    def sign_in(self, user: User) -> None:
        """Send this user's session with each request from now on."""
        client = Client()
        client.force_login(user)
        self.headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={client.session.session_key}"}

    def open(self, path: str, **headers: str) -> Stream:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", path, headers={**self.headers, **named})
        stream = Stream(connection.getresponse(), connection)
        self._streams.append(stream)
        return stream

    def get(self, path: str, **headers: str) -> tuple[int, Any]:
        """Return the status and the JSON of an answer that ends."""
        stream = self.open(path, **headers)
        body = stream.response.read()
        return stream.response.status, json.loads(body) if body else None

    def _listens(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.get("/api/nothing")[0] == 404
        except OSError:
            return False
        finally:
            self.close_streams()


@contextmanager
def running_stream_server(log: Path, **further: str) -> Iterator[StreamServer]:
    """Run uvicorn as the sandbox does, with two threads and further settings, until the end of the block."""
    port = free_port(0)
    variables = {
        "RENDERHUB_ENV_FILE": os.devnull,
        "RENDERHUB_WEB_THREADS": str(THREADS),
        "DATABASE_URL": database_url(),
        "DJANGO_SECRET_KEY": settings.SECRET_KEY,
        **further,
    }
    command = ["-m", "uvicorn", "renderhub.asgi:application", f"--port={port}", "--timeout-graceful-shutdown=20"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=settings.BASE_DIR,
            env={"PATH": "", **variables},
            stdout=output,
            stderr=output,
        )
        server = StreamServer(process, port, log)
        try:
            wait_until(server._listens)
            yield server
        finally:
            process.kill()
            process.wait()
