import shutil
import socket
from pathlib import Path

import pytest

from renders.sandbox.errors import SandboxError
from renders.sandbox.stack import Sandbox, free_port
from renders.sandbox.toolchain import Toolchain


@pytest.mark.system
def test_workers_that_cannot_load_are_told(toolchain: Toolchain, tmp_path: Path) -> None:
    shutil.copy(toolchain.app / "lambda.cjs", tmp_path)
    (tmp_path / "worker.cjs").write_text("throw new Error('broken')")
    (tmp_path / "app").symlink_to(tmp_path)
    broken = Sandbox(Toolchain(tmp_path))
    (tmp_path / "site").mkdir()
    with pytest.raises(SandboxError, match=r"The Lambda API did not start\.(.|\n)*Error: broken"):
        broken.__enter__()


def test_a_taken_port_is_replaced_by_a_free_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert free_port(port) != port
    assert free_port(port) == port
