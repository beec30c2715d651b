import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from renders.sandbox.errors import SandboxError
from renders.sandbox.network import bypass_proxies_for_loopback, listen
from renders.sandbox.processes import Processes

# Prints its port, answers one request, then ends with a word in its log.
SERVER = """
import http.server, sys
server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler)
print('{"port": %d}' % server.server_port, flush=True)
server.handle_request()
sys.exit("finished")
"""


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    bypass_proxies_for_loopback()
    with ExitStack() as exit_stack:
        yield Processes(tmp_path, exit_stack)


class TestProcesses:
    def test_a_server_is_ready_when_it_has_answered(self, processes: Processes) -> None:
        url = processes.start_server("web", [sys.executable, "-c", SERVER, "0"])
        processes.check()
        processes.wait_until_ready("web", url)

    def test_a_server_that_does_not_start_is_told_with_its_log(self, processes: Processes) -> None:
        with pytest.raises(SandboxError, match=r"The process web did not start\. .*web\.log ends with:\nbroken"):
            processes.start_server("web", [sys.executable, "-c", "import sys; sys.exit('broken')"])

    def test_another_process_at_the_port_is_not_taken_for_ours(self, processes: Processes) -> None:
        with listen(0) as other:
            port = other.getsockname()[1]
            processes.start("web", [sys.executable, "-c", SERVER, str(port)])
            with pytest.raises(SandboxError, match=r"did not start\.(.|\n)*Address already in use"):
                processes.wait_until_ready("web", f"http://127.0.0.1:{port}")

    def test_a_process_that_has_ended_is_told_with_its_log(self, processes: Processes) -> None:
        processes.start("web", [sys.executable, "-c", "import sys; sys.exit('killed')"]).wait(20)
        with pytest.raises(SandboxError, match=r"The process web has ended, .*data is kept(.|\n)*killed"):
            processes.check()
