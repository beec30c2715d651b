from pathlib import Path
from typing import Any

import pytest

from renders.sandbox import browser
from renders.sandbox.browser import Browser, find_browser
from renders.sandbox.errors import SandboxError
from renders.sandbox.toolchain import Toolchain


@pytest.fixture
def toolchain(tmp_path: Path) -> Toolchain:
    toolchain = Toolchain(tmp_path)
    toolchain.logs.mkdir()
    return toolchain


@pytest.fixture
def other_machine(monkeypatch: Any) -> None:
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    monkeypatch.setattr("platform.machine", lambda: "arm64")


def program(path: Path) -> Path:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


class TestFindBrowser:
    def test_a_browser_that_was_named_goes_first(self, toolchain: Toolchain, tmp_path: Path) -> None:
        named = program(tmp_path / "Google Chrome")
        assert find_browser(toolchain, path=named) == Browser(named)

    @pytest.mark.parametrize("name", ["none", "folder", "text"])
    def test_what_is_no_program_is_refused(self, toolchain: Toolchain, tmp_path: Path, name: str) -> None:
        (tmp_path / "folder").mkdir()
        (tmp_path / "text").touch()
        with pytest.raises(SandboxError, match=f"{name} is not a program: name Chrome's own file with --browser"):
            find_browser(toolchain, path=tmp_path / name)

    def test_chromium_from_npm_where_it_runs(self, toolchain: Toolchain, monkeypatch: Any) -> None:
        monkeypatch.setattr(browser, "ships_chromium", lambda: True)
        found = find_browser(toolchain)
        assert found.executable == toolchain.chromium / "chromium"
        assert found.libraries == toolchain.chromium / "al2023/lib"
        assert found.has_old_headless

    @pytest.mark.usefixtures("other_machine")
    def test_an_installed_chrome_on_other_machines(
        self, toolchain: Toolchain, tmp_path: Path, monkeypatch: Any
    ) -> None:
        installed = program(tmp_path / "chromium")
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr(browser, "INSTALLED", (str(tmp_path / "Google Chrome"), "chromium"))
        said: list[str] = []
        assert find_browser(toolchain, say=said.append) == Browser(installed)
        assert said == [f"Rendering with {installed}; --browser names another."]

    @pytest.mark.usefixtures("other_machine")
    def test_else_remotions_own(self, toolchain: Toolchain, tmp_path: Path, monkeypatch: Any) -> None:
        monkeypatch.setattr(browser, "INSTALLED", ())
        toolchain.app.mkdir()
        script = "import { writeFileSync } from 'node:fs'; writeFileSync(process.argv[2], JSON.stringify('/its/path'));"
        (toolchain.app / "browser.mjs").write_text(script)
        assert find_browser(toolchain) == Browser(Path("/its/path"), has_old_headless=True)

    @pytest.mark.usefixtures("other_machine")
    def test_none_at_all_is_told_with_what_to_do(self, toolchain: Toolchain, monkeypatch: Any) -> None:
        monkeypatch.setattr(browser, "INSTALLED", ())
        with pytest.raises(SandboxError, match=r"Darwin on arm64 has no browser .* install Chrome, or name a browser"):
            find_browser(toolchain)
