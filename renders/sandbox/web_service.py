"""This service in front of the sandbox: web process, worker, database, admin user."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

from django.conf import settings

from renders.sandbox.aws import Sandbox
from renders.sandbox.data import DATABASE, ENV, SIGN_IN
from renders.sandbox.errors import SandboxError
from renders.sandbox.sign_in import write_link

WEB_PORT = 8000

WEB_SERVER = ("-m", "uvicorn", "renderhub.asgi:application", "--timeout-graceful-shutdown=5")

SECRETS = {"DJANGO_SUPERUSER_PASSWORD": 9, "DJANGO_SECRET_KEY": 48, "REMOTION_WEBHOOK_SECRET": 32}
"""Variables with their lengths in bytes: chosen at the first start, then read from the env file."""

PASSED_ON = "API_RATE_"
"""Settings of our own environment whose names begin like this are the service's too."""


class WebService:
    """The service as child processes of the sandbox; its database is in the sandbox's data folder."""

    username = "admin"

    def __init__(self, sandbox: Sandbox, *, port: int) -> None:
        self.sandbox = sandbox
        self._port = port
        self.url = f"http://127.0.0.1:{port}"
        kept = read_env_file(self.env_file)
        self._secrets = {name: kept.get(name) or secrets.token_urlsafe(size) for name, size in SECRETS.items()}

    @property
    def env_file(self) -> Path:
        """A file of settings with which any ``manage.py`` command works on this sandbox."""
        return self.sandbox.data / ENV

    @property
    def password(self) -> str:
        """The admin user's password, the same in every run until the data folder is emptied."""
        return self._secrets["DJANGO_SUPERUSER_PASSWORD"]

    def start(self) -> None:
        """Migrate the database, create the admin user, start the web process and the worker."""
        self.env_file.touch(mode=0o600)
        self.env_file.write_text("".join(f"{name}={value}\n" for name, value in self._settings().items()))
        self._migrate()
        self._create_admin_user()
        self._start("web", *WEB_SERVER, f"--port={self._port}")
        self.sandbox.processes.wait_until_ready("web", f"{self.url}/admin/login/")
        self._start("worker", "manage.py", "render_worker")

    def sign_in_url(self, page: str) -> str:
        """Return a new link that signs the admin user in, once and on this machine only, and opens the page."""
        return self.url + write_link(self._sign_in_file, username=self.username, page=page)

    @property
    def _sign_in_file(self) -> Path:
        return self.sandbox.data / SIGN_IN

    def _migrate(self) -> None:
        try:
            self.manage("migrate", "--verbosity=0")
        except SandboxError as err:
            raise SandboxError(f"{err}\nA database of another version of this project needs --fresh.") from err

    def _create_admin_user(self) -> None:
        try:
            self.manage("createsuperuser", "--noinput", "--email=admin@example.com", f"--username={self.username}")
        except SandboxError as err:
            if "already taken" not in str(err):
                raise

    def _start(self, name: str, *arguments: str) -> None:
        command = [sys.executable, *arguments]
        self.sandbox.processes.start(name, command, cwd=settings.BASE_DIR, env=self._environment())

    def manage(self, *arguments: str) -> None:
        """Run a command of ``manage.py`` on this service; raise SandboxError with what it says if it fails."""
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
        ours = ("AWS_", "REMOTION_", "DJANGO_", "DATABASE_", "API_", "RENDERHUB_", "WEBHOOK_")
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(ours)},
            "RENDERHUB_ENV_FILE": str(self.env_file),
        }

    def _settings(self) -> dict[str, str]:
        return {
            **{name: str(value) for name, value in self.sandbox.settings().items()},
            "AWS_ENDPOINT_URL_STS": self.sandbox.s3_url,  # for `remotion lambda sites create`
            "DATABASE_URL": f"sqlite:///{self.sandbox.data / DATABASE}",
            "API_ALLOW_ANONYMOUS": "true",
            "WEBHOOK_ALLOW_PRIVATE": "true",
            "REMOTION_WEBHOOK_URL": f"{self.url}/api/lambda/webhook",
            **{name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)},
            "RENDERHUB_SANDBOX_SIGN_IN_FILE": str(self._sign_in_file),
            **self._secrets,
        }


def read_env_file(path: Path) -> dict[str, str]:
    """Return the variables of a file of lines ``NAME=value``; none if it does not exist."""
    lines = path.read_text().splitlines() if path.exists() else []
    return dict(line.split("=", 1) for line in lines)
