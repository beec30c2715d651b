import signal
import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from renders.management.arguments import port_number, quota
from renders.sandbox.aws import Sandbox
from renders.sandbox.data import open_data_folder
from renders.sandbox.demo import render_example
from renders.sandbox.errors import SandboxError
from renders.sandbox.network import free_port, require_free_port
from renders.sandbox.toolchain import prepare
from renders.sandbox.web_service import WEB_PORT, WebService


class Command(BaseCommand):
    help = "Runs Remotion's real Lambda function, S3 and this service on this machine, and renders an example."
    # The service gets settings of its own, so those of this process are not checked.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        data = settings.BASE_DIR / ".sandbox" / "data"
        parser.add_argument(
            "--concurrency",
            type=quota,
            default=16,
            help="The account's quota of functions at a time (16).",
        )
        parser.add_argument(
            "--port",
            type=port_number,
            help=f"The service's port; without it {WEB_PORT}, or another if that one is taken.",
        )
        parser.add_argument("--once", action="store_true", help="End when the example is rendered.")
        parser.add_argument("--fresh", action="store_true", help="Delete the renders and files of earlier runs.")
        parser.add_argument(
            "--data", type=Path, default=data, help="The folder that keeps renders and files (.sandbox/data)."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # SIGINT too: a shell starts background processes with it ignored.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _interrupt)
        try:
            self._run(**{name: options[name] for name in ("concurrency", "port", "once", "fresh", "data")})
        except SandboxError as err:
            raise CommandError(str(err)) from err
        except KeyboardInterrupt as err:
            if options["once"]:
                raise CommandError("Stopped before the example was rendered.") from err
            self._say("\nStopped.")

    def _run(self, *, concurrency: int, port: int | None, once: bool, fresh: bool, data: Path) -> None:
        if port is not None:
            require_free_port(port)
        data = data.resolve()
        with open_data_folder(data, fresh=fresh) as has_data:
            toolchain = prepare(self._say)
            if has_data:
                self._say(f"Continuing with the renders and files in {data}; --fresh deletes them.")
            self._say("Starting S3, Remotion's function and the service …")
            with Sandbox(toolchain, concurrency=concurrency, data=data) as sandbox:
                self._serve(sandbox, self._choose_port() if port is None else port, once=once)

    def _serve(self, sandbox: Sandbox, port: int, *, once: bool) -> None:
        web = WebService(sandbox, port=port)
        web.start()
        self._say("Rendering the example through POST /api/lambda/render …")
        video = render_example(web.url, sandbox.toolchain, say=lambda text: self._say(f"  {text}"))
        self._say(
            f"\n  Service  {web.url}\n  Admin    {web.url}/admin/  ({web.username} / {web.password})"
            f"\n  Video    {video}\n  Logs     {sandbox.logs}"
            f"\n  Data     {sandbox.data}  (kept for the next start; --fresh deletes it)"
            f"\n  Commands RENDERHUB_ENV_FILE={web.env_file} {sys.executable} manage.py refresh_renders\n"
        )
        if not once:
            self._say("Serving until Ctrl-C.")
            while True:
                time.sleep(1)
                sandbox.processes.check()

    def _choose_port(self) -> int:
        port = free_port(WEB_PORT)
        if port != WEB_PORT:
            self._say(f"Port {WEB_PORT} is taken: the service uses port {port}. --port chooses another.")
        return port

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt
