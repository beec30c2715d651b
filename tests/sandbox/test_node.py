import subprocess
from pathlib import Path

import pytest

from renders.sandbox.toolchain import NODE, Toolchain


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
