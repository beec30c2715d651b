import subprocess
from http.client import HTTPConnection
from pathlib import Path

import pytest

from renders.sandbox.aws import Sandbox
from renders.sandbox.steps import NODE
from renders.sandbox.toolchain import Toolchain


@pytest.mark.system
def test_a_worker_refuses_a_temporary_folder_that_is_not_its_own(toolchain: Toolchain, tmp_path: Path) -> None:
    bystander = tmp_path / "bystander"
    bystander.touch()
    result = subprocess.run(
        [NODE, toolchain.app / "worker.cjs"], env={"TMPDIR": str(tmp_path)}, capture_output=True, check=False
    )
    assert result.returncode == 1
    assert b"A worker must have a TMPDIR of its own" in result.stderr
    assert bystander.exists()


@pytest.mark.system
def test_idle_connections_to_the_lambda_api_stay_open(sandbox: Sandbox) -> None:
    """A server that announces a time limit closes connections that a client is about to reuse."""
    connection = HTTPConnection(sandbox.lambda_url.removeprefix("http://"))
    connection.request("GET", "/")
    headers = connection.getresponse().headers
    connection.close()
    assert (headers["Connection"], headers["Keep-Alive"]) == ("keep-alive", None)
