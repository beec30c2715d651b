import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from renders.sandbox.errors import SandboxError
from renders.sandbox.toolchain import Toolchain, prepare


def link_tree(source: Path, target: Path, names: list[str]) -> None:
    """Copy these files and folders as hard links."""
    target.mkdir()
    for name in names:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, symlinks=True, copy_function=os.link)
        else:
            os.link(source / name, target / name)


class TestToolchain:
    @pytest.mark.system
    def test_a_second_preparation_does_nothing(self, toolchain: Toolchain) -> None:
        said: list[str] = []
        prepare(said.append)
        assert said == []

    @pytest.mark.system
    def test_a_checkout_that_was_moved_is_still_prepared(self, toolchain: Toolchain, settings: Any) -> None:
        with TemporaryDirectory(dir=toolchain.folder) as folder:
            settings.BASE_DIR = Path(folder)
            moved = settings.BASE_DIR / ".sandbox"
            names = ["app", "chromium", "fonts", "site", *(path.name for path in toolchain.folder.glob("*.json"))]
            link_tree(toolchain.folder, moved, names)
            said: list[str] = []
            assert prepare(said.append).folder == moved
            assert said == []
            assert not (moved / "logs" / "npm.log").exists()

    @pytest.mark.system
    def test_what_broke_is_noticed_and_redone(self, toolchain: Toolchain) -> None:
        (toolchain.site.folder / "index.html").unlink()
        said: list[str] = []
        prepare(said.append)
        assert [text for text in said if "done" not in text] == ["Bundling the site …"]
        assert (toolchain.site.folder / "index.html").exists()

    @pytest.mark.system
    def test_what_was_interrupted_is_redone(self, toolchain: Toolchain) -> None:
        (toolchain.folder / "site.json").unlink()
        said: list[str] = []
        prepare(said.append)
        assert said[0] == "Bundling the site …"

    @pytest.mark.parametrize(("system", "machine"), [("Windows", "AMD64"), ("Linux", "riscv64")])
    def test_other_machines_are_told_what_it_needs(self, monkeypatch: Any, system: str, machine: str) -> None:
        monkeypatch.setattr("platform.system", lambda: system)
        monkeypatch.setattr("platform.machine", lambda: machine)
        with pytest.raises(SandboxError, match="needs Linux or macOS on x86-64 or arm64"):
            prepare(lambda text: None)

    @pytest.mark.system
    def test_what_is_no_video_is_told(self, toolchain: Toolchain, tmp_path: Path) -> None:
        (tmp_path / "video.mp4").write_text("no")
        with pytest.raises(SandboxError, match="is not a video"):
            toolchain.probe_video(tmp_path / "video.mp4")
