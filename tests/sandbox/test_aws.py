import shutil
from pathlib import Path

import pytest

from renders.sandbox.aws import Sandbox
from renders.sandbox.errors import SandboxError
from renders.sandbox.toolchain import Toolchain


@pytest.mark.system
def test_workers_that_cannot_load_are_told(toolchain: Toolchain, tmp_path: Path) -> None:
    shutil.copy(toolchain.app / "lambda.cjs", tmp_path)
    (tmp_path / "worker.cjs").write_text("throw new Error('broken')")
    (tmp_path / "app").symlink_to(tmp_path)
    broken = Sandbox(Toolchain(tmp_path))
    (tmp_path / "site").mkdir()
    with pytest.raises(SandboxError, match=r"The process lambda did not start\.(.|\n)*Error: broken"):
        broken.__enter__()
