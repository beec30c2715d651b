from pathlib import Path

import pytest

from renders.sandbox.data import open_data_folder
from renders.sandbox.errors import SandboxError


class TestOpenDataFolder:
    def test_a_new_folder_has_no_data(self, tmp_path: Path) -> None:
        with open_data_folder(tmp_path / "new" / "data", fresh=False) as has_data:
            assert not has_data

    def test_what_a_run_leaves_is_there_in_the_next(self, tmp_path: Path) -> None:
        with open_data_folder(tmp_path, fresh=False):
            (tmp_path / "db.sqlite3").write_text("rows")
        with open_data_folder(tmp_path, fresh=False) as has_data:
            assert has_data
            assert (tmp_path / "db.sqlite3").read_text() == "rows"

    def test_fresh_deletes_it_and_nothing_else(self, tmp_path: Path) -> None:
        others = ("mine", "environment", "env.production", "db.sqlite3.backup")
        (tmp_path / "env-letters").mkdir()
        for name in ("lock", "db.sqlite3", "db.sqlite3-wal", "objects.sqlite3", "env", *others):
            (tmp_path / name).touch()
        with open_data_folder(tmp_path, fresh=True) as has_data:
            assert not has_data
            assert {path.name for path in tmp_path.iterdir()} == {"env-letters", "lock", *others}

    @pytest.mark.parametrize("fresh", [False, True])
    def test_a_folder_of_something_else_is_refused(self, tmp_path: Path, fresh: bool) -> None:
        (tmp_path / "env").touch()
        with pytest.raises(SandboxError, match="holds other files"), open_data_folder(tmp_path, fresh=fresh):
            pass
        assert [path.name for path in tmp_path.iterdir()] == ["env"]

    def test_a_file_is_refused_in_one_sentence(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(SandboxError, match="cannot be used"), open_data_folder(tmp_path / "file", fresh=False):
            pass

    @pytest.mark.parametrize("fresh", [False, True])
    def test_another_sandbox_keeps_its_data_for_itself(self, tmp_path: Path, fresh: bool) -> None:
        with open_data_folder(tmp_path, fresh=False):
            (tmp_path / "db.sqlite3").write_text("rows")
            with pytest.raises(SandboxError, match="Another sandbox is using"), open_data_folder(tmp_path, fresh=fresh):
                pass
            assert (tmp_path / "db.sqlite3").read_text() == "rows"
