import signal
import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from renders.management.arguments import port_number, quota
from renders.sandbox import demo
from renders.sandbox.aws import Sandbox
from renders.sandbox.errors import SandboxError
from renders.sandbox.toolchain import prepare
from renders.sandbox.web_service import WEB_PORT, WebService


class Command(BaseCommand):
    help = "Runs Remotion's real Lambda function, S3 and this service on this machine, and renders an example."
    # The settings of this process do not matter: the service gets its own.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--concurrency",
            type=quota,
            default=16,
            help="The account's quota of functions at a time (16).",
        )
        parser.add_argument("--port", type=port_number, default=WEB_PORT, help=f"Of the service ({WEB_PORT}).")
        parser.add_argument("--once", action="store_true", help="End when the example is rendered.")

    def handle(self, *args: Any, concurrency: int, port: int, once: bool, **options: Any) -> None:
        # SIGINT too: a shell starts what it puts into the background with it ignored.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _interrupt)
        try:
            self._run(concurrency=concurrency, port=port, once=once)
        except SandboxError as err:
            raise CommandError(str(err)) from err
        except KeyboardInterrupt as err:
            if once:
                raise CommandError("Stopped before the example was rendered.") from err
            self._say("\nStopped.")

    def _run(self, *, concurrency: int, port: int, once: bool) -> None:
        toolchain = prepare(self._say)
        self._say("Starting S3, Remotion's function and the service …")
        with Sandbox(toolchain, concurrency=concurrency) as sandbox:
            web = WebService(sandbox, port=port)
            if not web.url.endswith(f":{port}"):
                self._say(f"Port {port} is taken; the service is at {web.url}.")
            web.start()
            self._say("Rendering the example through POST /api/lambda/render …")
            video = demo.render_example(web.url, toolchain, say=lambda text: self._say(f"  {text}"))
            self._say(
                f"\n  Service  {web.url}\n  Admin    {web.url}/admin/  ({web.username} / {web.password})"
                f"\n  Video    {video}\n  Logs     {sandbox.logs}"
                f"\n  Commands RENDERHUB_ENV_FILE={web.env_file} {sys.executable} manage.py refresh_renders\n"
            )
            if not once:
                self._say("Serving until Ctrl-C.")
                while True:
                    time.sleep(1)
                    sandbox.processes.check()

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt
