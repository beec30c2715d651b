from pathlib import Path

import pytest

from renders.sandbox.errors import SandboxError
from renders.sandbox.steps import NODE, run_logged


def test_a_command_that_fails_says_where_its_log_is(tmp_path: Path) -> None:
    command: list[str | Path] = [NODE, "-e", "console.log('what is wrong'); process.exit(1)"]
    with pytest.raises(SandboxError, match=r"broken\.log has all of its output, which ends with:\nwhat is wrong"):
        run_logged(command, log=tmp_path / "broken.log", cwd=tmp_path)
