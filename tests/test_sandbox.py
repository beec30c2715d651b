import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db.utils import ConnectionHandler

from renders.management.commands.sandbox import Command
from renders.sandbox import toolchain as toolchain_module
from renders.sandbox.demo import EXAMPLE
from renders.sandbox.errors import SandboxError
from renders.sandbox.leash import leashed
from renders.sandbox.stack import Sandbox, free_port
from renders.sandbox.toolchain import NODE, Toolchain, prepare

ROOT = Path(django_settings.BASE_DIR)


def wait_until_gone(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that are still there after a few seconds."""
    return psutil.wait_procs(processes, timeout=8)[1]


class TestLeash:
    # A process that starts one more in a session, and so a process group, of its own.
    FAMILY = (
        "import subprocess, sys; "
        "subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'], start_new_session=True)"
    )

    def descendants(self, process: "subprocess.Popen[bytes]") -> list[psutil.Process]:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            found = psutil.Process(process.pid).children(recursive=True)
            if len(found) == 2:
                return found
            time.sleep(0.02)
        raise AssertionError("The family did not start.")

    def test_all_end_when_the_parents_end_of_the_pipe_closes(self) -> None:
        with leashed([sys.executable, "-c", self.FAMILY]) as process:
            family = self.descendants(process)
        assert wait_until_gone(family) == []

    def test_all_end_when_it_is_asked_to(self) -> None:
        with leashed([sys.executable, "-c", self.FAMILY]) as process:
            family = self.descendants(process)
            process.terminate()
            assert wait_until_gone(family) == []

    def test_orphans_end_too(self) -> None:
        with leashed(["sh", "-c", "(setsid sleep 4322 &); exec sleep 4322"]) as process:
            family = self.descendants(process)
        assert wait_until_gone(family) == []

    def test_status_is_that_of_the_command(self) -> None:
        with leashed([sys.executable, "-c", "raise SystemExit(3)"]) as process:
            assert process.wait(10) == 3


class TestToolchain:
    def test_a_second_preparation_does_nothing(self, toolchain: Toolchain) -> None:
        said: list[str] = []
        prepare(said.append)
        assert said == []

    def test_what_broke_is_noticed_and_redone(self, toolchain: Toolchain) -> None:
        (toolchain.site / "index.html").unlink()
        said: list[str] = []
        prepare(said.append)
        assert [text for text in said if "done" not in text] == ["Bundling the site …"]
        assert (toolchain.site / "index.html").exists()

    def test_what_was_interrupted_is_redone(self, toolchain: Toolchain) -> None:
        (toolchain.folder / "site.json").unlink()
        said: list[str] = []
        prepare(said.append)
        assert said[0] == "Bundling the site …"

    def test_a_step_that_fails_says_where_its_log_is(self, toolchain: Toolchain) -> None:
        with pytest.raises(SandboxError, match=r"logs/broken\.log has all of it, which ends with:\nwhat is wrong"):
            toolchain_module._run(toolchain, "broken", [NODE, "-e", "console.log('what is wrong'); process.exit(1)"])

    def test_other_machines_are_told_what_it_needs(self, monkeypatch: Any) -> None:
        monkeypatch.setattr("platform.system", lambda: "Darwin")
        with pytest.raises(SandboxError, match="needs Linux on x86-64"):
            prepare(lambda text: None)

    def test_what_is_no_video_is_told(self, toolchain: Toolchain, tmp_path: Path) -> None:
        (tmp_path / "video.mp4").write_text("no")
        with pytest.raises(SandboxError, match="is not a video"):
            toolchain.probe_video(tmp_path / "video.mp4")


def test_workers_that_cannot_load_are_told(toolchain: Toolchain, tmp_path: Path) -> None:
    shutil.copy(toolchain.app / "lambda.cjs", tmp_path)
    (tmp_path / "worker.cjs").write_text("throw new Error('broken')")
    (tmp_path / "app").symlink_to(tmp_path)
    broken = Sandbox(Toolchain(tmp_path))
    (tmp_path / "site").mkdir()
    with pytest.raises(SandboxError, match=r"The Lambda API did not start\.(.|\n)*Error: broken"):
        broken.__enter__()


@pytest.mark.django_db
def test_sqlite_waits_its_turn_and_lets_readers_read(tmp_path: Path) -> None:
    default = django_settings.DATABASES["default"]
    if default["ENGINE"] != "django.db.backends.sqlite3":
        pytest.skip("PostgreSQL does by itself.")
    database = ConnectionHandler({"default": {**default, "NAME": tmp_path / "db.sqlite3"}})["default"]
    with database.cursor() as cursor:
        assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert default["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    database.close()


def test_a_worker_refuses_a_temporary_folder_that_is_not_its_own(toolchain: Toolchain, tmp_path: Path) -> None:
    bystander = tmp_path / "bystander"
    bystander.touch()
    result = subprocess.run(
        [NODE, toolchain.app / "worker.cjs"], env={"TMPDIR": str(tmp_path)}, capture_output=True, check=False
    )
    assert result.returncode == 1
    assert b"A worker must have a TMPDIR of its own" in result.stderr
    assert bystander.exists()


def test_a_taken_port_is_replaced_by_a_free_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert free_port(port) != port
    assert free_port(port) == port


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

    def test_once_renders_the_example_and_leaves_nothing_running(self, toolchain: Toolchain) -> None:
        process = self.start("--once")
        output = self.read_until(process, "S3, Remotion's function and the service")
        output += self.read_until(process, "Rendering the example")
        family = psutil.Process(process.pid).children(recursive=True)
        assert len(family) > 6
        output += process.communicate(timeout=120)[0]
        assert process.returncode == 0, output
        assert re.search(r"renderId \w+, answered in 0\.\d\d s", output)
        assert "is h264, 1280×720, 150 frames" in output
        assert re.search(r"Admin +http://127\.0\.0\.1:\d+/admin/ +\(admin / \S{12}\)", output)
        assert wait_until_gone(family) == []
        assert not list(toolchain.folder.glob(f"runs/{process.pid}-*/tmp/*")), "workers clean up behind them"

    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
    def test_every_process_dies_with_it(self, toolchain: Toolchain, number: signal.Signals) -> None:
        process = self.start()
        self.read_until(process, "Rendering the example")
        time.sleep(2)  # long enough for browsers to have started; the assertion does not depend on it
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        process.communicate(timeout=20)
        assert wait_until_gone(family) == []
        assert process.returncode == (-9 if number == signal.SIGKILL else 0)

    def test_a_render_that_fails_is_status_1(self, monkeypatch: Any) -> None:
        props = {"code": "throw new Error('boom')", "durationInFrames": 2, "fps": 30}
        monkeypatch.setattr("renders.sandbox.demo.EXAMPLE", {"inputProps": props})
        before = signal.getsignal(signal.SIGTERM)
        try:
            with pytest.raises(CommandError, match="The render failed: Error: boom"):
                call_command(Command(), "--once")
        finally:
            signal.signal(signal.SIGTERM, before)

    def test_a_reason_that_it_cannot_go_on_is_status_1(self, monkeypatch: Any) -> None:
        monkeypatch.setattr("platform.machine", lambda: "sparc")
        before = signal.getsignal(signal.SIGTERM)
        try:
            with pytest.raises(CommandError, match="needs Linux"):
                call_command(Command(), "--once")
        finally:
            signal.signal(signal.SIGTERM, before)


def test_example_is_the_seeds() -> None:
    assert json.dumps(EXAMPLE) == (
        '{"inputProps": {"code": "Create a rotating 3D cube with blue color", "durationInFrames": 150, "fps": 30}}'
    )
