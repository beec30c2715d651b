"""Workers as real processes on the test's database."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from tests.conftest import CREDENTIALS


class WorkerProcess(subprocess.Popen[bytes]):
    """``render_worker`` with the test's settings. It logs to a file, because a pipe that is full would stop it."""

    def __init__(self, log: Path, *, interval: float, **variables: str) -> None:
        self._log = log
        environment = {
            "PATH": "",
            "RENDERHUB_ENV_FILE": os.devnull,
            "DATABASE_URL": database_url(),
            **{name: str(getattr(settings, name)) for name in CREDENTIALS if name != "ALLOWED_HOSTS"},
            **variables,
        }
        with log.open("wb") as file:
            super().__init__(
                [sys.executable, "manage.py", "render_worker", "--interval", str(interval)],
                cwd=settings.BASE_DIR,
                env=environment,
                stdout=file,
                stderr=file,
            )

    @property
    def log(self) -> str:
        return self._log.read_text()

    def stop(self) -> int:
        """Send SIGTERM, and return the exit status."""
        self.send_signal(signal.SIGTERM)
        return self.wait(20)


Workers = Callable[..., WorkerProcess]


def database_url() -> str:
    its = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{its['NAME']}"
    return f"postgres://{its['USER']}:{its['PASSWORD']}@{its['HOST']}:{its['PORT']}/{its['NAME']}"


def wait_until(is_so: Callable[[], Any], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "That did not come."
        time.sleep(0.02)
