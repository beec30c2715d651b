from pathlib import Path
from typing import Any

import pytest

from renders.sandbox import toolchain as toolchain_module
from renders.sandbox.errors import SandboxError
from renders.sandbox.toolchain import NODE, Toolchain, prepare


class TestToolchain:
    @pytest.mark.system
    def test_a_second_preparation_does_nothing(self, toolchain: Toolchain) -> None:
        said: list[str] = []
        prepare(said.append)
        assert said == []

    @pytest.mark.system
    def test_what_broke_is_noticed_and_redone(self, toolchain: Toolchain) -> None:
        (toolchain.site / "index.html").unlink()
        said: list[str] = []
        prepare(said.append)
        assert [text for text in said if "done" not in text] == ["Bundling the site …"]
        assert (toolchain.site / "index.html").exists()

    @pytest.mark.system
    def test_what_was_interrupted_is_redone(self, toolchain: Toolchain) -> None:
        (toolchain.folder / "site.json").unlink()
        said: list[str] = []
        prepare(said.append)
        assert said[0] == "Bundling the site …"

    @pytest.mark.system
    def test_a_step_that_fails_says_where_its_log_is(self, toolchain: Toolchain) -> None:
        with pytest.raises(SandboxError, match=r"logs/broken\.log has all of it, which ends with:\nwhat is wrong"):
            toolchain_module._run(toolchain, "broken", [NODE, "-e", "console.log('what is wrong'); process.exit(1)"])

    def test_other_machines_are_told_what_it_needs(self, monkeypatch: Any) -> None:
        monkeypatch.setattr("platform.system", lambda: "Darwin")
        with pytest.raises(SandboxError, match="needs Linux on x86-64"):
            prepare(lambda text: None)

    @pytest.mark.system
    def test_what_is_no_video_is_told(self, toolchain: Toolchain, tmp_path: Path) -> None:
        (tmp_path / "video.mp4").write_text("no")
        with pytest.raises(SandboxError, match="is not a video"):
            toolchain.probe_video(tmp_path / "video.mp4")
