"""Run the project as processes of their own, on settings of their own."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from renders.sandbox.network import free_port

START_SECONDS = 60


@dataclass(frozen=True)
class HttpAnswer:
    status: int
    headers: dict[str, str]
    body: str


@dataclass(frozen=True)
class Server:
    url: str
    log: Path

    def get(self, path: str, **headers: str) -> HttpAnswer:
        request = urllib.request.Request(f"{self.url}{path}", headers=headers)  # noqa: S310
        try:
            answer = urllib.request.urlopen(request, timeout=30)  # noqa: S310
        except urllib.error.HTTPError as err:
            answer = err
        with answer:
            return HttpAnswer(answer.status, dict(answer.headers), answer.read().decode())


def run_python(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run Python in the project's folder, with these environment variables only."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=settings.BASE_DIR,
        env=_environment(variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=START_SECONDS,
    )


@contextmanager
def running_server(log: Path, **variables: str) -> Iterator[Server]:
    """Run Django's development server until the end of the block; its output goes to the log."""
    address = f"127.0.0.1:{free_port(0)}"
    command = [sys.executable, "manage.py", "runserver", "--noreload", address]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=settings.BASE_DIR, env=_environment(variables), stdout=output, stderr=output
        )
        try:
            server = Server(f"http://{address}", log)
            _wait_for(server, process)
            yield server
        finally:
            process.kill()
            process.wait()


def _environment(variables: dict[str, str]) -> dict[str, str]:
    return {"PATH": "", "RENDERHUB_ENV_FILE": os.devnull, **variables}


def _wait_for(server: Server, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            server.get("/static/admin/css/base.css")
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"The server did not start: {server.log.read_text()}")
