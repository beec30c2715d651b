"""This service in front of the sandbox: web process, worker, database, admin user."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

from django.conf import settings

from renders.sandbox.aws import Sandbox
from renders.sandbox.errors import SandboxError
from renders.sandbox.network import free_port

WEB_PORT = 8000


class WebService:
    """The service as child processes of the sandbox, with a database and an admin user of its own."""

    def __init__(self, sandbox: Sandbox, *, port: int) -> None:
        self.sandbox = sandbox
        self.url = f"http://127.0.0.1:{free_port(port)}"
        self.username = "admin"
        self.password = secrets.token_urlsafe(9)
        self._webhook_secret = secrets.token_urlsafe()

    @property
    def env_file(self) -> Path:
        """A file of settings with which any ``manage.py`` command works on this sandbox."""
        return self.sandbox.folder / "env"

    def start(self) -> None:
        """Migrate the database, create the admin user, start the web process and the worker."""
        self.env_file.write_text("".join(f"{name}={value}\n" for name, value in self._settings().items()))
        self._manage("migrate", "--verbosity=0")
        self._manage("createsuperuser", "--noinput", "--email=admin@example.com", f"--username={self.username}")
        self._start("web", "runserver", "--noreload", "--skip-checks", self.url.removeprefix("http://"))
        self.sandbox.processes.wait_until_ready("web", f"{self.url}/admin/login/")
        self._start("worker", "render_worker")

    def _start(self, name: str, *arguments: str) -> None:
        command = [sys.executable, "manage.py", *arguments]
        self.sandbox.processes.start(name, command, cwd=settings.BASE_DIR, env=self._environment())

    def _manage(self, *arguments: str) -> None:
        process = subprocess.run(  # noqa: S603
            [sys.executable, "manage.py", *arguments],
            cwd=settings.BASE_DIR,
            env=self._environment(),
            capture_output=True,
            check=False,
        )
        if process.returncode:
            raise SandboxError(f"manage.py {arguments[0]} failed: {process.stderr.decode(errors='replace').strip()}")

    def _environment(self) -> dict[str, str]:
        """Return our environment without the settings in it, which the env file replaces."""
        ours = ("AWS_", "REMOTION_", "DJANGO_", "DATABASE_", "API_", "RENDERHUB_")
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(ours)},
            "RENDERHUB_ENV_FILE": str(self.env_file),
            "DJANGO_SUPERUSER_PASSWORD": self.password,
        }

    def _settings(self) -> dict[str, str]:
        return {
            **{name: str(value) for name, value in self.sandbox.settings().items()},
            "DATABASE_URL": f"sqlite:///{self.sandbox.folder / 'db.sqlite3'}",
            "DJANGO_SECRET_KEY": secrets.token_hex(32),
            "API_ALLOW_ANONYMOUS": "true",
            "REMOTION_WEBHOOK_URL": f"{self.url}/api/lambda/webhook",
            "REMOTION_WEBHOOK_SECRET": self._webhook_secret,
        }
