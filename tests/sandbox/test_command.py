import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from renders.management.commands.sandbox import Command
from renders.sandbox.interrupted import MESSAGE
from renders.sandbox.network import listen
from renders.sandbox.toolchain import Toolchain
from tests.sandbox.processes import wait_until_gone

ROOT = Path(django_settings.BASE_DIR)
UNFINISHED = {"code": "Never finished", "durationInFrames": 600, "fps": 30}


def get(url: str) -> Any:
    with urllib.request.urlopen(url) as response:  # noqa: S310
        return json.load(response)


def post(url: str, body: dict[str, Any]) -> Any:
    data = json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request) as response:  # noqa: S310
        return json.load(response)


class TestCommand:
    def start(self, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-u", "manage.py", "sandbox", *arguments],
            cwd=ROOT,
            env={**os.environ, "REMOTION_AWS_ACCESS_KEY_ID": "a real key", "DATABASE_URL": "sqlite:///nowhere.sqlite3"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )

    def read_until(self, process: "subprocess.Popen[str]", words: str) -> str:
        assert process.stdout is not None
        seen = ""
        for line in process.stdout:
            seen += line
            if words in line:
                return seen
        raise AssertionError(seen)

    @pytest.mark.system
    def test_once_renders_the_example_and_leaves_nothing_running(self, toolchain: Toolchain, tmp_path: Path) -> None:
        data = tmp_path / "data"
        data.mkdir()
        (data / "lock").touch()
        (data / "env").write_text("DJANGO_SUPERUSER_PASSWORD=of-earlier-run")
        process = self.start("--once", "--fresh", "--data", str(data))
        output = self.read_until(process, "S3, Remotion's function and the service")
        output += self.read_until(process, "Rendering the example")
        family = psutil.Process(process.pid).children(recursive=True)
        assert len(family) > 6
        output += process.communicate(timeout=120)[0]
        assert process.returncode == 0, output
        assert re.search(r"renderId \w+, answered in 0\.\d\d s", output)
        assert "is h264, 1280×720, 150 frames" in output
        assert re.search(r"Admin +http://127\.0\.0\.1:\d+/admin/ +\(admin / \S{12}\)", output)
        assert "of-earlier-run" not in output
        assert "Continuing" not in output
        assert "Open " not in output, "nothing serves when it has ended"
        assert wait_until_gone(family) == []
        assert not list(toolchain.folder.glob(f"runs/{process.pid}-*/tmp/*")), "workers clean up behind them"

    @pytest.mark.system
    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
    def test_every_process_dies_with_it(self, toolchain: Toolchain, tmp_path: Path, number: signal.Signals) -> None:
        process = self.start("--data", str(tmp_path / "data"))
        self.read_until(process, "Rendering the example")
        time.sleep(2)  # long enough for browsers to have started; the assertion does not depend on it
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        output = process.communicate(timeout=20)[0]
        assert wait_until_gone(family) == []
        assert process.returncode == (-9 if number == signal.SIGKILL else 0), output

    @pytest.mark.system
    def test_a_start_after_a_crash_continues_with_rows_and_files(self, toolchain: Toolchain, tmp_path: Path) -> None:
        first = self.start("--data", str(tmp_path / "data"))
        output = self.read_until(first, "Serving until Ctrl-C")
        address, password = self.address(output), self.password(output)
        finished = get(f"{address}/api/renders/")["results"][0]
        assert self.open(output) == f"{address}/admin/renders/render/{finished['id']}/change/"
        assert self.open(output) == f"{address}/admin/login/?next=/admin/", "the link signs in once"
        running = post(f"{address}/api/renders/", {"inputProps": UNFINISHED})
        self.s3_process(first).kill()
        rest = first.communicate(timeout=20)[0]
        assert first.returncode == 1
        assert "The process s3 has ended, so the sandbox stops; its data is kept." in rest

        second = self.start("--data", str(tmp_path / "data"))
        output = self.read_until(second, "Serving until Ctrl-C")
        assert f"Continuing with the renders and files in {tmp_path / 'data'}; --fresh deletes them." in output
        assert self.password(output) == password
        address = self.address(output)
        assert len(get(f"{address}/api/renders/")["results"]) == 3
        row = get(f"{address}/api/renders/{finished['id']}/")
        with urllib.request.urlopen(row["outputUrl"]) as video:  # noqa: S310
            assert len(video.read()) == row["outputSize"] > 0
        row = post(f"{address}/api/renders/{running['id']}/refresh/", {})
        assert (row["status"], row["error"]) == ("failed", MESSAGE)
        second.send_signal(signal.SIGINT)
        second.communicate(timeout=20)

    def address(self, output: str) -> str:
        return re.search(r"Service +(\S+)", output)[1]  # type: ignore[index]

    def open(self, output: str) -> str:
        """Open the link that signs in, in a new browser; return the address where it leads to."""
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        link = re.search(r"Open +(\S+)", output)[1]  # type: ignore[index]
        with browser.open(link) as response:
            return response.url

    def password(self, output: str) -> str:
        return re.search(r"\(admin / (\S+)\)", output)[1]  # type: ignore[index]

    def s3_process(self, sandbox: "subprocess.Popen[str]") -> psutil.Process:
        family = psutil.Process(sandbox.pid).children(recursive=True)
        return next(process for process in family if process.cmdline()[1:3] == ["-m", "renders.sandbox.s3"])

    @pytest.mark.system
    def test_a_render_that_fails_is_status_1(self, toolchain: Toolchain, tmp_path: Path, monkeypatch: Any) -> None:
        props = {"code": "throw new Error('boom')", "durationInFrames": 2, "fps": 30}
        monkeypatch.setattr("renders.sandbox.demo.EXAMPLE", {"inputProps": props})
        before = signal.getsignal(signal.SIGTERM)
        try:
            with pytest.raises(CommandError, match="The render failed: Error: boom"):
                call_command(Command(), "--once", "--data", str(tmp_path / "data"))
        finally:
            signal.signal(signal.SIGTERM, before)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--entry", "a.ts"], "--entry goes with --project only."),
            (["--composition", "A"], "--composition goes with --project only."),
            (["--watch"], "--watch goes with --project only."),
            (["--project", "a", "--watch", "--once"], "--watch and --once do not go together"),
            (["--project", "/nowhere"], "/nowhere has no package.json"),
        ],
    )
    def test_what_does_not_go_together_is_told_before_anything_is_prepared(
        self, tmp_path: Path, monkeypatch: Any, arguments: list[str], message: str
    ) -> None:
        monkeypatch.setattr("renders.management.commands.sandbox.prepare", None)
        before = signal.getsignal(signal.SIGTERM)
        try:
            with pytest.raises(CommandError, match=message):
                call_command(Command(), *arguments, "--data", str(tmp_path / "data"))
        finally:
            signal.signal(signal.SIGTERM, before)
        assert not (tmp_path / "data").exists()

    def test_a_reason_that_it_cannot_go_on_is_status_1(self, tmp_path: Path, monkeypatch: Any) -> None:
        monkeypatch.setattr("platform.machine", lambda: "sparc")
        before = signal.getsignal(signal.SIGTERM)
        try:
            with pytest.raises(CommandError, match="needs Linux"):
                call_command(Command(), "--once", "--data", str(tmp_path / "data"))
        finally:
            signal.signal(signal.SIGTERM, before)

    def test_a_taken_port_that_was_asked_for_is_an_error(self, tmp_path: Path) -> None:
        with listen(0) as taken, pytest.raises(CommandError, match="name another port with --port"):
            call_command(Command(), "--port", str(taken.getsockname()[1]), "--data", str(tmp_path / "data"))

    def test_a_taken_default_port_is_replaced_and_told(self, monkeypatch: Any) -> None:
        output = io.StringIO()
        with listen(0) as taken:
            wanted = taken.getsockname()[1]
            monkeypatch.setattr("renders.management.commands.sandbox.WEB_PORT", wanted)
            used = Command(stdout=output)._choose_port()
        assert used != wanted
        assert output.getvalue() == f"Port {wanted} is taken: the service uses port {used}. --port chooses another.\n"

    def test_a_free_default_port_is_used_without_a_word(self, monkeypatch: Any) -> None:
        output = io.StringIO()
        with listen(0) as taken:
            wanted = taken.getsockname()[1]
        monkeypatch.setattr("renders.management.commands.sandbox.WEB_PORT", wanted)
        assert Command(stdout=output)._choose_port() == wanted
        assert output.getvalue() == ""
