import json
from pathlib import Path
from typing import Any

import pytest

from renders.sandbox.errors import SandboxError
from renders.sandbox.project import first_error, open_project


def write(path: Path, content: Any = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def install(folder: Path, name: str, version: str = "4.0.527") -> None:
    write(folder / "node_modules" / name / "package.json", {"name": name, "version": version})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project as Remotion's starter makes it, with its packages."""
    folder = tmp_path / "My video"
    write(folder / "package.json", {"dependencies": {"remotion": "4.0.527"}})
    write(folder / "src/index.ts", "registerRoot(Root)")
    install(folder, "remotion")
    install(folder, "@remotion/cli")
    return folder


def refusal(folder: Path, **options: str) -> str:
    with pytest.raises(SandboxError) as caught:
        open_project(folder, **options)
    return str(caught.value)


class TestWhatIsFound:
    def test_the_starters_project(self, folder: Path) -> None:
        project = open_project(folder)
        assert project.version == "4.0.527"
        assert project.cli == folder / "node_modules/@remotion/cli/remotion-cli.js"
        assert project.entry == folder / "src/index.ts"
        assert project.site == "my-video"

    def test_packages_of_a_workspace_are_in_a_folder_above(self, folder: Path) -> None:
        member = folder / "packages" / "video"
        write(member / "package.json", {})
        write(member / "remotion/index.tsx")
        assert open_project(member).cli == folder / "node_modules/@remotion/cli/remotion-cli.js"

    @pytest.mark.parametrize("entry", ["src/index.tsx", "remotion/index.ts", "src/remotion/index.mjs"])
    def test_other_usual_entry_points(self, folder: Path, entry: str) -> None:
        (folder / "src/index.ts").unlink()
        write(folder / entry)
        assert open_project(folder).entry == folder / entry

    def test_the_first_entry_point_in_remotions_order(self, folder: Path) -> None:
        write(folder / "remotion/index.ts")
        assert open_project(folder).entry == folder / "src/index.ts"

    def test_an_entry_point_by_name_in_the_project(self, folder: Path) -> None:
        write(folder / "video/main.ts")
        assert open_project(folder, entry="video/main.ts").entry == folder / "video/main.ts"

    def test_an_entry_point_by_path(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write(folder / "video/main.ts")
        monkeypatch.chdir(folder.parent)
        assert open_project(folder, entry="My video/video/main.ts").entry == folder / "video/main.ts"

    def test_an_entry_point_that_the_configuration_names_is_left_to_remotion(self, folder: Path) -> None:
        write(folder / "remotion.config.ts", "Config.setEntryPoint('./video/main.ts')")
        assert open_project(folder).entry is None


class TestWhatIsRefused:
    def test_no_folder(self, tmp_path: Path) -> None:
        assert refusal(tmp_path / "none").startswith(f"{tmp_path / 'none'} has no package.json: name the folder of")

    def test_a_file(self, tmp_path: Path) -> None:
        assert "has no package.json" in refusal(write(tmp_path / "file"))

    @pytest.mark.parametrize("content", ["{", "[]"])
    def test_a_package_json_that_is_none(self, folder: Path, content: str) -> None:
        write(folder / "package.json", content)
        assert str(folder / "package.json") in refusal(folder)

    def test_another_kind_of_project(self, tmp_path: Path) -> None:
        write(tmp_path / "package.json", {"dependencies": {"react": "19.0.0"}, "devDependencies": None})
        assert refusal(tmp_path) == (
            f"{tmp_path} is not a Remotion project, because its package.json does not name remotion:"
            " name the folder of one with --project."
        )

    @pytest.mark.parametrize(
        ("lock_file", "command"),
        [("none", "npm"), ("package-lock.json", "npm"), ("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn")],
    )
    def test_packages_that_are_not_installed(self, tmp_path: Path, lock_file: str, command: str) -> None:
        write(tmp_path / "package.json", {"devDependencies": {"remotion": "4.0.527"}})
        write(tmp_path / lock_file)
        assert refusal(tmp_path) == f"The packages of {tmp_path} are not installed: run `{command} install` there."

    def test_no_bundler(self, folder: Path) -> None:
        (folder / "node_modules/@remotion/cli/package.json").unlink()
        assert refusal(folder).endswith("run `npm add @remotion/cli@4.0.527` there.")

    @pytest.mark.parametrize("version", ["3.3.102", "4.0.88"])
    def test_an_older_version(self, folder: Path, version: str) -> None:
        install(folder, "remotion", version)
        assert refusal(folder).startswith(
            f"{folder} uses Remotion {version}, and the sandbox runs 4.0.127 and newer of 4.x:"
            " run `npx remotion upgrade` there"
        )

    def test_a_newer_major_version(self, folder: Path) -> None:
        install(folder, "remotion", "5.0.0")
        assert "uses Remotion 5.0.0" in refusal(folder)

    @pytest.mark.parametrize("version", ["4.0.127", "4.0.529", "4.1.0-alpha9"])
    def test_no_version_of_the_same_major(self, folder: Path, version: str) -> None:
        install(folder, "remotion", version)
        assert open_project(folder).version == version

    def test_no_entry_point(self, folder: Path) -> None:
        (folder / "src/index.ts").unlink()
        assert refusal(folder) == (
            f"{folder} has no entry point where Remotion looks (src/index.ts and the like):"
            " name the file that calls registerRoot() with --entry."
        )

    def test_an_entry_point_that_does_not_exist(self, folder: Path) -> None:
        assert refusal(folder, entry="src/main.ts") == (
            f"{folder} has no file src/main.ts: name the one that calls registerRoot() with --entry."
        )


class TestFirstError:
    def test_is_what_comes_before_the_stack(self) -> None:
        output = """Bundling 6%
            Bundling 98%

            Error: Module build failed (from ./node_modules/@remotion/bundler/dist/esbuild-loader/index.js):
            Error: Transform failed with 1 error:
            /my-video/src/Counter.tsx:4:6: ERROR: Expected identifier but found "="
                at failureErrorWithLog (/my-video/node_modules/esbuild/lib/main.js:1748:15)
            undefined
        """
        assert first_error(output) == (
            "Error: Module build failed (from ./node_modules/@remotion/bundler/dist/esbuild-loader/index.js):"
            " Error: Transform failed with 1 error:"
            ' /my-video/src/Counter.tsx:4:6: ERROR: Expected identifier but found "="'
        )

    def test_what_comes_before_it_is_left_out(self) -> None:
        output = """A newer version of Remotion is available
            Error: Module not found: Error: Can't resolve './nothing' in '/my-video/src'
            resolve './nothing' in '/my-video/src'
        """
        assert first_error(output) == "Error: Module not found: Error: Can't resolve './nothing' in '/my-video/src'"

    def test_is_short(self) -> None:
        assert first_error("Error: a\nb\nc\nd\ne") == "Error: a b c"

    def test_is_never_empty(self) -> None:
        assert first_error("Bundling 6%") == "Remotion's CLI ended without a word."
