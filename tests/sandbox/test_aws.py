import shutil
from pathlib import Path

import pytest

from renders.remotion.compositions import list_compositions
from renders.sandbox.aws import Sandbox
from renders.sandbox.browser import Browser
from renders.sandbox.errors import SandboxError
from renders.sandbox.toolchain import Toolchain


@pytest.mark.system
def test_workers_that_cannot_load_are_told(toolchain: Toolchain, tmp_path: Path) -> None:
    shutil.copy(toolchain.app / "lambda.cjs", tmp_path)
    (tmp_path / "worker.cjs").write_text("throw new Error('broken')")
    (tmp_path / "app").symlink_to(tmp_path)
    broken = Sandbox(Toolchain(tmp_path), node_modules=toolchain.node_modules)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").touch()
    with pytest.raises(SandboxError, match=r"The process lambda did not start\.(.|\n)*Error: broken"):
        broken.__enter__()


@pytest.mark.system
def test_a_browser_by_path_gets_temporary_files_under_a_short_name(toolchain: Toolchain) -> None:
    chromium = Browser(toolchain.chromium / "chromium", libraries=toolchain.chromium / "al2023" / "lib")
    with Sandbox(toolchain, browser=chromium, concurrency=1) as sandbox:
        folder = (sandbox.folder / "tmp").resolve()
        links = [path for path in Path("/tmp").glob("renderhub-*") if path.is_symlink()]  # noqa: S108
        (link,) = [path for path in links if path.resolve() == folder]
        props = {"durationInFrames": 5, "fps": 30}
        (found,) = list_compositions(sandbox.target(), serve_url=sandbox.serve_url, input_props=props)
        assert found.duration_in_frames == 5
    assert not link.is_symlink()
