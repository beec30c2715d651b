import re
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from renders.remotion.target import function_name
from renders.remotion.versions import PINNED_VERSION, TRIED_VERSIONS, can_cancel, version_in_name

ROOT = Path(django_settings.BASE_DIR)


@pytest.mark.parametrize("version", [*TRIED_VERSIONS, "4.1.0-alpha.12", "5.0.0-rc.1.36a8e3f", "10.20.30"])
def test_a_name_that_remotion_gave_tells_the_version(version: str) -> None:
    assert version_in_name(function_name(2048, 10240, 900, version=version)) == version


@pytest.mark.parametrize(
    "name", ["our-function", "remotion-render-4-0-527", "remotion-render-latest-mem1mb-disk1mb-1sec", ""]
)
def test_other_names_tell_none(name: str) -> None:
    assert version_in_name(name) == ""


@pytest.mark.parametrize(
    ("version", "expected"),
    [("4.0.286", False), ("4.0.514", False), ("4.0.515", True), ("4.1.0-alpha.1", True), ("5.0.0", True), ("", True)],
)
def test_cancelling_came_with_a_version(version: str, expected: bool) -> None:
    assert can_cancel(version) is expected


def test_the_pinned_version_was_tried() -> None:
    assert PINNED_VERSION in TRIED_VERSIONS


def test_the_documented_table_has_the_tried_versions() -> None:
    table = (ROOT / "docs" / "remotion-versions.md").read_text()
    assert tuple(re.findall(r"^\| (\d\S*) \|", table, re.MULTILINE)) == TRIED_VERSIONS
