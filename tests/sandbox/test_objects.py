from pathlib import Path

from renders.sandbox.objects import ObjectFile
from tests.sandbox.factories import stored


class TestObjectFile:
    def test_an_object_is_read_back_as_it_was_saved(self, tmp_path: Path) -> None:
        saved = stored("a/ä", b"\0\xff", is_public=True, headers={"Content-Type": "video/mp4"})
        ObjectFile(tmp_path / "file").save(saved)
        assert list(ObjectFile(tmp_path / "file").matching()) == [saved]

    def test_an_object_replaces_the_one_of_its_key(self, tmp_path: Path) -> None:
        objects = ObjectFile(tmp_path / "file")
        objects.save(stored("a", b"old"))
        objects.save(stored("a", b"new"))
        objects.save(stored("a", b"other", bucket="c"))
        assert [found.body for found in objects.matching()] == [b"new", b"other"]

    def test_a_deleted_object_is_gone(self, tmp_path: Path) -> None:
        objects = ObjectFile(tmp_path / "file")
        objects.save(stored("a"))
        objects.save(stored("b"))
        objects.delete("b", "a")
        objects.delete("b", "never there")
        assert objects.keys("b") == ["b"]

    def test_objects_are_found_by_a_pattern(self, tmp_path: Path) -> None:
        objects = ObjectFile(tmp_path / "file")
        for key in ("renders/a/progress.json", "renders/a/out.mp4", "sites/a/progress.json"):
            objects.save(stored(key))
        assert [found.key for found in objects.matching("renders/%/progress.json")] == ["renders/a/progress.json"]
