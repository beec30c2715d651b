"""The sandbox's processes: each with a log file, and all ended together."""

import json
import subprocess
import time
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from renders.sandbox.child_process import start_child_process
from renders.sandbox.errors import SandboxError

READY_SECONDS = 60


class Processes:
    """Named processes that end when ``exit_stack`` closes, or with this process."""

    def __init__(self, logs: Path, exit_stack: ExitStack) -> None:
        self.logs = logs
        self._exit_stack = exit_stack
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: Sequence[str | Path], **options: Any) -> "subprocess.Popen[bytes]":
        """Start a process; what it prints goes to ``<name>.log`` unless ``options`` say otherwise."""
        log = self._exit_stack.enter_context((self.logs / f"{name}.log").open("wb"))
        started = start_child_process(command, **{"stdout": log, "stderr": log, **options})
        self._running[name] = self._exit_stack.enter_context(started)
        return started

    def start_server(self, name: str, command: Sequence[str | Path], **options: Any) -> str:
        """Start a process whose first line of output is ``{"port": …}``; return its URL."""
        process = self.start(name, command, stdout=subprocess.PIPE, **options)
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            raise SandboxError(f"The process {name} did not start. {self.log_tail(name)}")
        return f"http://127.0.0.1:{json.loads(line)['port']}"

    def wait_until_ready(self, name: str, url: str) -> None:
        """Return when the process, and no other, listens at ``url`` and has answered a request."""
        deadline = time.monotonic() + READY_SECONDS
        while not self._listens(name, urlsplit(url).port):
            if time.monotonic() > deadline or self._running[name].poll() is not None:
                raise SandboxError(f"The process {name} did not start. {self.log_tail(name)}")
            time.sleep(0.05)
        try:
            urllib.request.urlopen(url, timeout=READY_SECONDS).close()  # noqa: S310
        except OSError as err:
            raise SandboxError(f"The process {name} does not answer ({err}). {self.log_tail(name)}") from err

    def _listens(self, name: str, port: int | None) -> bool:
        try:
            descendants = psutil.Process(self._running[name].pid).children(recursive=True)
            connections = [found for process in descendants for found in process.net_connections("tcp")]
        except psutil.NoSuchProcess:
            return False
        return any(found.status == psutil.CONN_LISTEN and found.laddr.port == port for found in connections)

    def check(self) -> None:
        """Raise SandboxError if one of the processes has ended by itself."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise SandboxError(
                    f"The process {name} has ended, so the sandbox stops; its data is kept. {self.log_tail(name)}"
                )

    def log_tail(self, name: str) -> str:
        """Return the path and the last lines of the process's log."""
        log = self.logs / f"{name}.log"
        return "\n".join([f"{log} ends with:", *log.read_text(errors="replace").strip().splitlines()[-40:]])
