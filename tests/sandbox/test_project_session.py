from pathlib import Path
from typing import Any, cast

import pytest

from renders.sandbox.aws import Sandbox
from renders.sandbox.errors import SandboxError
from renders.sandbox.project import Project
from renders.sandbox.project_session import ProjectSession
from renders.sandbox.toolchain import Toolchain
from renders.sandbox.web_service import WebService

CLI = """
const fs = require("fs");
const [command, ...args] = process.argv.slice(2);
const folder = args.find((arg) => arg.startsWith("--out-dir=")).slice(10);
if (fs.existsSync("broken")) {
  console.error("Error: it is broken");
  process.exit(1);
}
fs.mkdirSync(folder);
fs.writeFileSync(folder + "/index.html", JSON.stringify([command, args]));
"""
"""Stands for Remotion's command: it bundles unless the project has a file ``broken``."""


class Published:
    """Notes what was published, and as what."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def upload_site(self) -> None:
        self.calls.append("upload")

    def manage(self, *arguments: str) -> None:
        self.calls += arguments


class Fixture:
    def __init__(self, folder: Path) -> None:
        self.said: list[str] = []
        self.folder = folder / "my-video"
        self.folder.mkdir()
        (folder / "cli.js").write_text(CLI)
        self.toolchain = Toolchain(folder / ".sandbox")
        self.toolchain.logs.mkdir(parents=True)
        self.project = Project(self.folder, "4.0.400", folder / "cli.js", self.folder / "index.ts")
        self.session = ProjectSession(self.project, self.toolchain, say=self.said.append)
        self.published = Published()

    def bundle_again(self, *names: str) -> None:
        saved = {self.folder / name for name in names}
        self.session.bundle_again(cast("Sandbox", self.published), cast("WebService", self.published), saved)


@pytest.fixture
def fixture(tmp_path: Path) -> Fixture:
    return Fixture(tmp_path)


def test_the_projects_own_command_bundles_for_the_path_of_its_site(fixture: Fixture) -> None:
    fixture.session.bundle()
    site = fixture.session.site
    assert site.folder == fixture.toolchain.folder / "projects" / "my-video"
    assert (site.folder / "index.html").read_text() == (
        f'["bundle",["{fixture.folder}/index.ts","--out-dir={site.folder}","--public-path={site.public_path}"]]'
    )


def test_a_bundle_that_was_interrupted_is_replaced(fixture: Fixture) -> None:
    fixture.session.site.folder.mkdir(parents=True)
    (fixture.session.site.folder / "bundle.js").touch()
    fixture.session.bundle()
    assert [path.name for path in fixture.session.site.folder.iterdir()] == ["index.html"]


def test_a_project_that_does_not_bundle_is_told_with_remotions_words(fixture: Fixture) -> None:
    (fixture.folder / "broken").touch()
    log = fixture.toolchain.logs / "project-my-video.log"
    with pytest.raises(SandboxError) as caught:
        fixture.session.bundle()
    assert str(caught.value) == (
        f"{fixture.folder} does not bundle: Error: it is broken (All that Remotion said: {log})"
    )


def test_what_was_saved_is_published(fixture: Fixture) -> None:
    fixture.bundle_again("src/b.ts", "src/a.ts")
    assert fixture.said[0] == "Saved src/a.ts, src/b.ts."
    assert fixture.published.calls == ["upload", "sync_templates", "--raise-versions"]


def test_a_save_that_does_not_bundle_publishes_nothing_and_does_not_end_it(fixture: Fixture) -> None:
    (fixture.folder / "broken").touch()
    fixture.bundle_again("broken")
    assert fixture.published.calls == []
    assert "does not bundle: Error: it is broken" in fixture.said[-1]
    assert fixture.said[-1].endswith("Renders use the last bundle until the next save.")


def test_a_function_of_the_sandboxs_own_version_is_not_installed_again(fixture: Fixture, monkeypatch: Any) -> None:
    package = fixture.toolchain.node_modules / "@remotion/lambda/package.json"
    package.parent.mkdir(parents=True)
    package.write_text('{"version": "4.0.400"}')
    assert fixture.session.install_function() == fixture.toolchain.node_modules


def test_a_function_of_another_version_is_installed_once_for_all_projects(fixture: Fixture, monkeypatch: Any) -> None:
    package = fixture.toolchain.node_modules / "@remotion/lambda/package.json"
    package.parent.mkdir(parents=True)
    package.write_text('{"version": "4.0.527"}')
    install = "renders.sandbox.project_session.install_function"
    monkeypatch.setattr(install, lambda version, folder, say: folder / version / "node_modules")
    assert fixture.session.install_function() == fixture.toolchain.folder / "versions/4.0.400/node_modules"
