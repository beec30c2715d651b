from pathlib import Path

import pytest
from watchfiles import Change

from renders.sandbox.errors import SandboxError
from renders.sandbox.watch import SourceFilter, saved_files

NOT_EDITED = [
    "node_modules/.cache/webpack/0.pack",
    "packages/a/node_modules/b/index.js",
    ".git/index",
    ".next/trace",
    "out/video.mp4",
    "build/index.html",
]


@pytest.mark.parametrize("path", NOT_EDITED)
def test_what_nobody_edits_is_left_out(tmp_path: Path, path: str) -> None:
    assert not SourceFilter(tmp_path)(Change.modified, str(tmp_path / path))


@pytest.mark.parametrize("path", ["src/Root.tsx", "public/logo.png", "remotion.config.ts"])
def test_the_folders_above_the_project_do_not_matter(tmp_path: Path, path: str) -> None:
    folder = tmp_path / "build" / ".hidden"
    assert SourceFilter(folder)(Change.modified, str(folder / path))


def test_a_saved_file_is_told_and_a_package_is_not(tmp_path: Path) -> None:
    for name in ("src", "node_modules"):
        (tmp_path / name).mkdir()
    saved = saved_files(tmp_path, seconds=0.1)
    assert next(saved) == set()
    (tmp_path / "node_modules" / "index.js").touch()
    (tmp_path / "src" / "Root.tsx").write_text("1")
    assert next(batch for batch in saved if batch) == {tmp_path / "src" / "Root.tsx"}


def test_a_folder_that_cannot_be_watched_is_told(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="cannot be watched"):
        next(saved_files(tmp_path / "none"))
