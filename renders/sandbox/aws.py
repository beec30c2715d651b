"""What stands in for AWS: S3 by moto, and Lambda's Invoke API around Remotion's own function."""

import json
import os
import secrets
import shutil
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
import psutil
from django.conf import settings

from renders.remotion.target import LambdaTarget, function_name
from renders.remotion.versions import PINNED_VERSION
from renders.sandbox.browser import Browser, find_browser
from renders.sandbox.data import OBJECTS
from renders.sandbox.functions import installed_version
from renders.sandbox.network import bypass_proxies_for_loopback
from renders.sandbox.processes import Processes
from renders.sandbox.site import BUCKET, Site
from renders.sandbox.steps import NODE
from renders.sandbox.toolchain import Toolchain

REGION = "us-east-1"
RAM, DISK = 3009, 10240
KEY = "sandbox"
WARM_WORKERS = 5
"""Functions that the example needs at once: one starts it, one coordinates, three render."""
S3_PORT = 5055


class Sandbox:
    """S3 and the Lambda Invoke API on the loopback interface; ``with`` starts and ends them.

    ``node_modules`` has Remotion's function: the toolchain's by default, or what ``install_function()``
    returned. ``concurrency`` is the account's quota of functions, ``function_timeout`` the function's
    time limit in seconds. ``data`` is the folder that keeps S3's objects, this run's own by default.
    ``site`` is what is rendered, and ``browser`` what renders it: both the toolchain's own by default.
    """

    def __init__(
        self,
        toolchain: Toolchain,
        *,
        node_modules: Path | None = None,
        concurrency: int = 16,
        function_timeout: int = 240,
        data: Path | None = None,
        browser: Browser | None = None,
        site: Site | None = None,
    ) -> None:
        self.toolchain = toolchain
        self.function_timeout = function_timeout
        self._node_modules = node_modules or toolchain.node_modules
        version = installed_version(node_modules) if node_modules else PINNED_VERSION
        self.function_name = function_name(RAM, DISK, function_timeout, version=version)
        self._concurrency = concurrency
        self._browser = browser or find_browser(toolchain)
        self.site = site or toolchain.site
        self.folder = toolchain.folder / "runs" / f"{os.getpid()}-{secrets.token_hex(4)}"
        self.data = data or self.folder
        self.logs = self.folder / "logs"
        self._exit_stack = ExitStack()
        self.processes = Processes(self.logs, self._exit_stack)
        self.s3_url = self.lambda_url = ""

    def __enter__(self) -> Self:
        bypass_proxies_for_loopback()
        self._make_folder()
        self._exit_stack.callback(shutil.rmtree, self.folder / "tmp", ignore_errors=True)
        try:
            self._start_s3()
            self._start_lambda()
        except BaseException:
            self._exit_stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._exit_stack.close()

    @property
    def serve_url(self) -> str:
        """The URL of the bundled site."""
        return f"{self.s3_url}{self.site.public_path}index.html"

    def settings(self) -> dict[str, Any]:
        """Return the settings that direct every call to AWS to this sandbox."""
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
            "REMOTION_FUNCTION_NAME": self.function_name,
            "REMOTION_BUCKET_NAME": BUCKET,
            "REMOTION_SERVE_URL": self.serve_url,
            "REMOTION_COMPOSITION": "DynamicComp",
            "REMOTION_CONCURRENCY": self._concurrency,
            "REMOTION_WEBHOOK_URL": "",
            "REMOTION_WEBHOOK_SECRET": "",
        }

    def target(self) -> LambdaTarget:
        """Return where a call to this sandbox goes."""
        return replace(
            LambdaTarget.from_settings(),
            region=REGION,
            function_name=self.function_name,
            function_timeout=self.function_timeout,
            bucket_name=BUCKET,
            s3_endpoint_url=self.s3_url,
            lambda_endpoint_url=self.lambda_url,
            access_key_id=KEY,
            secret_access_key=KEY,
            session_token="",
            use_default_credentials=False,
        )

    def s3(self) -> Any:
        """Return a boto3 client of the sandbox's S3."""
        session = boto3.Session(aws_access_key_id=KEY, aws_secret_access_key=KEY, region_name=REGION)
        return session.client("s3", endpoint_url=self.s3_url)

    def _start_s3(self) -> None:
        command = [sys.executable, "-m", "renders.sandbox.s3", str(S3_PORT), str(self.data / OBJECTS)]
        self.s3_url = self.processes.start_server("s3", command, cwd=settings.BASE_DIR)
        self.s3().create_bucket(Bucket=BUCKET)
        self.upload_site()

    def upload_site(self) -> None:
        """Upload the site as its folder is now."""
        self.site.upload(self.s3())

    def _start_lambda(self) -> None:
        options = {
            "functionName": self.function_name,
            "region": REGION,
            "memorySizeInMb": RAM,
            "timeoutInSeconds": self.function_timeout,
            "concurrency": self._concurrency,
            "warm": WARM_WORKERS,
            "folder": str(self._worker_folder()),
            "nodeModules": str(self._node_modules),
            "browser": str(self._browser.executable),
            "browserLibraries": str(self._browser.libraries or ""),
            "hasOldHeadless": self._browser.has_old_headless,
            "fonts": str(self.toolchain.fonts),
            "s3": self.s3_url,
        }
        command: list[str | Path] = [NODE, self.toolchain.app / "lambda.cjs", json.dumps(options)]
        self.lambda_url = self.processes.start_server("lambda", command)

    def _worker_folder(self) -> Path:
        """Return the folder of the workers' temporary files, for a full Chrome by a short name.

        Chrome makes a socket in there, and a socket's path has about 100 characters at most.
        """
        folder = self.folder / "tmp"
        folder.mkdir()
        if self._browser.has_old_headless:
            return folder
        link = Path("/tmp", f"renderhub-{secrets.token_hex(4)}")  # noqa: S108
        link.symlink_to(folder)
        self._exit_stack.callback(link.unlink)
        return link

    def _make_folder(self) -> None:
        """Make this run's folder and remove those of runs that have ended, with their logs."""
        for left in self.folder.parent.glob("*-*"):
            if not psutil.pid_exists(int(left.name.partition("-")[0])):
                shutil.rmtree(left, ignore_errors=True)
        self.logs.mkdir(parents=True)
