import subprocess
import sys
import time

import psutil
import pytest

from renders.sandbox.child_process import start_child_process
from tests.sandbox.processes import wait_until_gone


class TestChildProcess:
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
        with start_child_process([sys.executable, "-c", self.FAMILY]) as process:
            family = self.descendants(process)
        assert wait_until_gone(family) == []

    def test_all_end_when_it_is_asked_to(self) -> None:
        with start_child_process([sys.executable, "-c", self.FAMILY]) as process:
            family = self.descendants(process)
            process.terminate()
            assert wait_until_gone(family) == []

    @pytest.mark.skipif(sys.platform != "linux", reason="Only Linux ends the command of a supervisor that is killed.")
    def test_the_command_ends_when_its_supervisor_is_killed(self) -> None:
        with start_child_process([sys.executable, "-c", self.FAMILY]) as process:
            command, grandchild = sorted(self.descendants(process), key=lambda found: found.ppid() != process.pid)
            process.kill()
            assert wait_until_gone([command]) == []
        grandchild.kill()

    def test_orphans_end_too(self) -> None:
        with start_child_process(["sh", "-c", "(setsid sleep 4322 &); exec sleep 4322"]) as process:
            family = self.descendants(process)
        assert wait_until_gone(family) == []

    def test_status_is_that_of_the_command(self) -> None:
        with start_child_process([sys.executable, "-c", "raise SystemExit(3)"]) as process:
            assert process.wait(10) == 3
