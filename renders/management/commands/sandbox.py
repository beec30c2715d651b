import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from renders.management.arguments import port_number, quota
from renders.sandbox.api_client import ApiClient
from renders.sandbox.aws import Sandbox
from renders.sandbox.browser import find_browser
from renders.sandbox.data import open_data_folder
from renders.sandbox.demo import newest_render_page, render_example
from renders.sandbox.errors import SandboxError
from renders.sandbox.network import free_port, require_free_port
from renders.sandbox.project import open_project
from renders.sandbox.project_session import ProjectSession
from renders.sandbox.toolchain import Toolchain, prepare
from renders.sandbox.watch import saved_files
from renders.sandbox.web_service import WEB_PORT, WebService


class Command(BaseCommand):
    help = (
        "Runs Remotion's real Lambda function, S3 and this service on this machine, and renders an example"
        " or, with --project, a Remotion project of yours."
    )
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
        parser.add_argument(
            "--browser", type=Path, help="A Chrome to render with; without it Chromium from npm, where that runs."
        )
        project = parser.add_argument_group("a Remotion project of yours")
        project.add_argument("--project", type=Path, help="Its folder, with its packages installed.")
        project.add_argument("--entry", default="", help="Its entry point, if it is not where Remotion looks.")
        project.add_argument("--composition", default="", help="What to render first; without it the first one.")
        project.add_argument("--watch", action="store_true", help="Bundle again when a source file is saved.")

    def handle(self, *args: Any, **options: Any) -> None:
        _require_combination(options)
        # SIGINT too: a shell starts background processes with it ignored.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _interrupt)
        try:
            self._run(options)
        except SandboxError as err:
            raise CommandError(str(err)) from err
        except KeyboardInterrupt as err:
            if options["once"]:
                raise CommandError("Stopped before the example was rendered.") from err
            self._say("\nStopped.")

    def _run(self, options: dict[str, Any]) -> None:
        if options["port"] is not None:
            require_free_port(options["port"])
        project = open_project(options["project"], entry=options["entry"]) if options["project"] else None
        data = options["data"].resolve()
        with open_data_folder(data, fresh=options["fresh"]) as has_data:
            toolchain = prepare(self._say)
            session = ProjectSession(project, toolchain, say=self._say) if project else None
            if has_data:
                self._say(f"Continuing with the renders and files in {data}; --fresh deletes them.")
            with self._sandbox(toolchain, session, data, options) as sandbox:
                self._serve(sandbox, session, options)

    def _sandbox(
        self, toolchain: Toolchain, session: ProjectSession | None, data: Path, options: dict[str, Any]
    ) -> Sandbox:
        """Return the sandbox, not started yet, with the project bundled."""
        browser = find_browser(toolchain, path=options["browser"], say=self._say)
        if session:
            session.bundle()
        sandbox = Sandbox(
            toolchain,
            node_modules=session.install_function() if session else None,
            concurrency=options["concurrency"],
            data=data,
            browser=browser,
            site=session.site if session else None,
        )
        self._say("Starting S3, Remotion's function and the service …")
        return sandbox

    def _serve(self, sandbox: Sandbox, session: ProjectSession | None, options: dict[str, Any]) -> None:
        web = WebService(sandbox, port=self._choose_port() if options["port"] is None else options["port"])
        web.start()
        if session:
            output: Path | None = session.render(sandbox, web, composition=options["composition"], once=options["once"])
        else:
            output = self._render_example(web, sandbox.toolchain)
        sign_in = ""
        if not options["once"]:
            page = newest_render_page(ApiClient(web.url))
            sign_in = f"  Open     {web.sign_in_url(page)}  (signs in, once)\n"
        self._say(
            f"\n{sign_in}  Service  {web.url}\n  Admin    {web.url}/admin/  ({web.username} / {web.password})"
            f"\n  Output   {output or 'none, see above'}\n  Logs     {sandbox.logs}"
            f"\n  Data     {sandbox.data}  (kept for the next start; --fresh deletes it)"
            f"\n  Commands RENDERHUB_ENV_FILE={web.env_file} {sys.executable} manage.py refresh_renders\n"
        )
        if not options["once"]:
            watched = session.project.folder if session and options["watch"] else None
            self._say("Serving until Ctrl-C." + (f" Watching {watched}." if watched else ""))
            for saved in saved_files(watched) if watched else _seconds():
                sandbox.processes.check()
                if session and saved:
                    session.bundle_again(sandbox, web, saved)

    def _render_example(self, web: WebService, toolchain: Toolchain) -> Path:
        self._say("Rendering the example through POST /api/lambda/render …")
        return render_example(ApiClient(web.url), toolchain, say=lambda text: self._say(f"  {text}"))

    def _choose_port(self) -> int:
        port = free_port(WEB_PORT)
        if port != WEB_PORT:
            self._say(f"Port {WEB_PORT} is taken: the service uses port {port}. --port chooses another.")
        return port

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _require_combination(options: dict[str, Any]) -> None:
    """Raise CommandError if options do not go together."""
    names = [f"--{name}" for name in ("entry", "composition", "watch") if options[name]]
    if names and not options["project"]:
        raise CommandError(f"{names[0]} goes with --project only.")
    if options["watch"] and options["once"]:
        raise CommandError("--watch and --once do not go together: one goes on, the other ends.")


def _seconds() -> Iterator[set[Path]]:
    """Yield nothing that was saved, each second."""
    while True:
        time.sleep(1)
        yield set()


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt
