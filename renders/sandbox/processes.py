"""The sandbox's processes: started together, each with a log file, ended together."""

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

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

    def check(self) -> None:
        """Raise SandboxError if one of the processes has ended by itself."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise SandboxError(f"The process {name} has ended. {self.log_tail(name)}")

    def wait_until_ready(self, name: str, url: str) -> None:
        """Return when the process answers at ``url``; raise SandboxError if it ends or takes too long."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and self._running[name].poll() is None:
            try:
                urllib.request.urlopen(url, timeout=5).close()  # noqa: S310
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise SandboxError(f"{name} did not start. {self.log_tail(name)}")

    def log_tail(self, name: str) -> str:
        """Return the path and the last lines of the process's log."""
        log = self.logs / f"{name}.log"
        return "\n".join([f"{log} ends with:", *log.read_text(errors="replace").strip().splitlines()[-12:]])
