import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from renders.management.commands.sandbox import Command
from renders.sandbox.toolchain import Toolchain
from tests.sandbox.processes import wait_until_gone

ROOT = Path(django_settings.BASE_DIR)


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

    @pytest.mark.system
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

    @pytest.mark.system
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
