"""The service as processes that can be killed and started again."""

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from django.conf import settings


class Service:
    """The web process and the worker, which can be killed and started again."""

    def __init__(self, environment: dict[str, str], port: int, logs: Path) -> None:
        self.environment, self.port, self.logs = environment, port, logs
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, name: str) -> None:
        arguments = {
            "web": ["runserver", "--noreload", "--skip-checks", f"127.0.0.1:{self.port}"],
            "worker": ["render_worker", "--interval", "0.5"],
        }[name]
        log = (self.logs / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=settings.BASE_DIR,
            env=self.environment,
            stdout=log,
            stderr=log,
        )
        log.close()
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
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait()

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(30)

    def post(self, path: str, mark: str) -> int:
        """The status of a request to render one frame; 0 where there was no answer."""
        body = json.dumps({"inputProps": {"code": mark, "durationInFrames": 1, "fps": 30}}).encode()
        request = urllib.request.Request(  # noqa: S310
            f"{self.url}{path}", data=body, headers={"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
                return int(response.status)
        except urllib.error.HTTPError as err:
            return err.code
        except OSError:
            return 0

    def post_until(self, is_done: Callable[[], bool], path: str, mark: str) -> None:
        """Asks again where there is no room, as a client would."""
        while self.post(path, mark) == 429 and not is_done():
            time.sleep(0.5)
