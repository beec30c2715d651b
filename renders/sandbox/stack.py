"""Runs what stands in for AWS, S3 and Lambda, and our own web service in front of it."""

import json
import mimetypes
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
import psutil
from django.conf import settings

from renders.remotion.config import function_name
from renders.sandbox.child_process import start_child_process
from renders.sandbox.errors import SandboxError
from renders.sandbox.toolchain import BUCKET, NODE, SITE, Toolchain

REGION = "us-east-1"
RAM, DISK = 3009, 10240
KEY = "sandbox"
WARM_WORKERS = 5
"""What the seed's example needs at once: one to start it, one to lead, three to render."""

S3_PORT, WEB_PORT = 5055, 8000
READY_SECONDS = 60


class Sandbox:
    """S3 and the Lambda Invoke API on the loopback interface, from ``with`` to its end.

    ``concurrency`` is the account's quota of functions, ``function_timeout`` the function's time
    limit in seconds; ``chromium`` is another folder with a file ``chromium`` in it, for tests.
    """

    def __init__(
        self, toolchain: Toolchain, *, concurrency: int = 16, function_timeout: int = 240, chromium: Path | None = None
    ) -> None:
        self.toolchain = toolchain
        self.function_timeout = function_timeout
        self.function_name = function_name(RAM, DISK, function_timeout)
        self._concurrency = concurrency
        self._chromium = chromium or toolchain.chromium
        self.folder = toolchain.folder / "runs" / f"{os.getpid()}-{secrets.token_hex(4)}"
        self.logs = self.folder / "logs"
        self._exit = ExitStack()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.s3_url = self.lambda_url = ""

    def __enter__(self) -> Self:
        bypass_proxies_for_loopback()
        self._make_folder()
        with ExitStack() as started:
            self._exit = started
            started.callback(shutil.rmtree, self.folder / "tmp", ignore_errors=True)
            self._start_s3()
            self._start_lambda()
            self._exit = started.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._exit.close()

    @property
    def serve_url(self) -> str:
        return f"{self.s3_url}/{BUCKET}/sites/{SITE}/index.html"

    def settings(self) -> dict[str, Any]:
        """The project's settings for this sandbox: all that would send a call elsewhere is set."""
        return {
            "REMOTION_AWS_ACCESS_KEY_ID": KEY,
            "REMOTION_AWS_SECRET_ACCESS_KEY": KEY,
            "REMOTION_AWS_SESSION_TOKEN": "",
            "REMOTION_USE_DEFAULT_CREDENTIALS": False,
            "AWS_ENDPOINT_URL_S3": self.s3_url,
            "AWS_ENDPOINT_URL_LAMBDA": self.lambda_url,
            "REMOTION_REGION": REGION,
            "REMOTION_RAM": RAM,
            "REMOTION_DISK": DISK,
            "REMOTION_TIMEOUT": self.function_timeout,
            "REMOTION_FUNCTION_NAME": "",
            "REMOTION_BUCKET_NAME": BUCKET,
            "REMOTION_SERVE_URL": self.serve_url,
            "REMOTION_COMPOSITION": "DynamicComp",
            "REMOTION_CONCURRENCY": self._concurrency,
            "REMOTION_WEBHOOK_URL": "",
            "REMOTION_WEBHOOK_SECRET": "",
        }

    def s3(self) -> Any:
        """A boto3 client of the sandbox's S3."""
        session = boto3.Session(aws_access_key_id=KEY, aws_secret_access_key=KEY, region_name=REGION)
        return session.client("s3", endpoint_url=self.s3_url)

    def run(self, name: str, command: Sequence[str | Path], **options: Any) -> "subprocess.Popen[bytes]":
        """Starts a process that ends with the sandbox, or with us; its output goes to a log."""
        log = self._exit.enter_context((self.logs / f"{name}.log").open("wb"))
        # Leaving the context closes its input, which ends it, and waits.
        process = self._exit.enter_context(start_child_process(command, **{"stdout": log, "stderr": log, **options}))
        self.processes[name] = process
        return process

    def check(self) -> None:
        """Raises SandboxError if one of the processes has ended by itself."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise SandboxError(f"The process {name} has ended. {self.log_tail(name)}")

    def log_tail(self, name: str) -> str:
        log = self.logs / f"{name}.log"
        return "\n".join([f"{log} ends with:", *log.read_text(errors="replace").strip().splitlines()[-12:]])

    def wait_for(self, name: str, url: str, process: "subprocess.Popen[bytes]") -> None:
        """Returns when something answers at the URL; raises SandboxError if that does not come."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            try:
                urllib.request.urlopen(url, timeout=5).close()  # noqa: S310
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise SandboxError(f"{name} did not start. {self.log_tail(name)}")

    def _start_s3(self) -> None:
        port = free_port(S3_PORT)
        self.s3_url = f"http://127.0.0.1:{port}"
        process = self.run("s3", [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)])
        self.wait_for("s3", self.s3_url, process)
        s3 = self.s3()
        s3.create_bucket(Bucket=BUCKET)
        files = [path for path in self.toolchain.site.rglob("*") if path.is_file()]
        with ThreadPoolExecutor(max_workers=4) as uploads:
            list(uploads.map(lambda path: self._upload(s3, path), files))

    def _upload(self, s3: Any, path: Path) -> None:
        content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        key = f"sites/{SITE}/{path.relative_to(self.toolchain.site)}"
        s3.upload_file(str(path), BUCKET, key, ExtraArgs={"ContentType": content_type, "ACL": "public-read"})

    def _start_lambda(self) -> None:
        options = {
            "functionName": self.function_name,
            "region": REGION,
            "memorySizeInMb": RAM,
            "timeoutInSeconds": self.function_timeout,
            "concurrency": self._concurrency,
            "warm": WARM_WORKERS,
            "folder": str(self.folder / "tmp"),
            "chromium": str(self._chromium),
            "s3": self.s3_url,
        }
        command: list[str | Path] = [NODE, self.toolchain.app / "lambda.cjs", json.dumps(options)]
        process = self.run("lambda", command, stdout=subprocess.PIPE)
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            raise SandboxError(f"The Lambda API did not start. {self.log_tail('lambda')}")
        self.lambda_url = f"http://127.0.0.1:{json.loads(line)['port']}"

    def _make_folder(self) -> None:
        """The run's own folder; those of runs that have ended go now, with their logs."""
        for left in self.folder.parent.glob("*-*"):
            if not psutil.pid_exists(int(left.name.partition("-")[0])):
                shutil.rmtree(left, ignore_errors=True)
        self.logs.mkdir(parents=True)


class Web:
    """The service itself, as children of the sandbox: a fresh database, a demo admin, a worker."""

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
        self.env_file.write_text("".join(f"{name}={value}\n" for name, value in self._settings().items()))
        self._manage("migrate", "--verbosity=0")
        self._manage("createsuperuser", "--noinput", "--email=admin@example.com", f"--username={self.username}")
        address = self.url.removeprefix("http://")
        command = [sys.executable, "manage.py", "runserver", "--noreload", "--skip-checks", address]
        process = self.sandbox.run("web", command, cwd=settings.BASE_DIR, env=self._environment())
        self.sandbox.wait_for("web", f"{self.url}/admin/login/", process)
        worker = [sys.executable, "manage.py", "render_worker"]
        self.sandbox.run("worker", worker, cwd=settings.BASE_DIR, env=self._environment())

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


def bypass_proxies_for_loopback() -> None:
    """A machine's proxy is for the world outside."""
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1"]))


def free_port(wanted: int) -> int:
    """The port, or another that is free if something listens there."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise SandboxError("This machine has no free port.")
