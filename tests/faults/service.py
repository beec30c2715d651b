"""The service as processes that can be killed and started again: gunicorn with threads, and the worker."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from django.conf import settings

from tests.faults.trials import WAYS, Trial


class Service:
    """The web process and the worker."""

    def __init__(self, environment: dict[str, str], port: int, logs: Path) -> None:
        self.environment, self.port, self.logs = environment, port, logs
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Both processes, from ``with`` to its end."""
        try:
            for name in WAYS:
                self.start(name)
            yield
        finally:
            self.stop()

    def start(self, name: str) -> None:
        arguments = {
            "web": [
                "-m",
                "gunicorn",
                "renderhub.wsgi",
                "--threads=16",
                "--timeout=120",
                f"--bind=127.0.0.1:{self.port}",
            ],
            "worker": ["manage.py", "render_worker", "--interval=0.5"],
        }[name]
        with (self.logs / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=settings.BASE_DIR,
                env=self.environment,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        if name == "web":
            self._wait()

    def _wait(self) -> None:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{self.url}/admin/login/", timeout=5).close()  # noqa: S310
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise SystemExit(f"The web process did not start; see {self.logs}.")

    def kill(self, name: str) -> None:
        """End the process and its children at once, as a machine that fails does."""
        process = self.processes[name]
        children = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        psutil.wait_procs(children)

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(30)

    def post(self, trial: Trial) -> int:
        """Return the status of a request to render the trial; 0 where there was no answer."""
        body = json.dumps(trial.body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}{trial.path}", data=body, headers=headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
                return int(response.status)
        except urllib.error.HTTPError as err:
            return err.code
        except OSError:
            return 0

    def post_until(self, is_done: Callable[[], bool], trial: Trial) -> None:
        """Ask again where AWS has no room, as a client would."""
        while self.post(trial) == 429 and not is_done():
            time.sleep(0.5)
