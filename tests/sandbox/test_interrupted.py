import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from renders.sandbox.interrupted import MESSAGE, fail_interrupted_renders
from renders.sandbox.objects import ObjectFile
from tests.factories import load_recording
from tests.sandbox.factories import stored

KEY = "renders/abc/progress.json"


def after_a_restart(folder: Path, progress: dict[str, Any]) -> dict[str, Any]:
    objects = ObjectFile(folder / "file")
    objects.save(stored(KEY, json.dumps(progress).encode()))
    fail_interrupted_renders(objects)
    found = next(objects.matching())
    if found.etag != "e":
        assert found.etag == hashlib.md5(found.body, usedforsecurity=False).hexdigest(), "its readers ask by ETag"
    read: dict[str, Any] = json.loads(found.body)
    return read


def steps(name: str) -> list[dict[str, Any]]:
    return [step["progress.json"] for step in load_recording(name)]


@pytest.mark.parametrize("step", [0, 10])
def test_a_running_render_fails_with_the_reason(tmp_path: Path, step: int) -> None:
    before = steps("succeeds")[step]
    after = after_a_restart(tmp_path, before)
    assert [(error["message"], error["isFatal"], error["willRetry"]) for error in after["errors"]] == [
        (MESSAGE, True, False)
    ]
    assert after["fatalErrorTimestamp"] > before["timeoutTimestamp"] - 1_000_000
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"errors", "fatalErrorTimestamp"}


@pytest.mark.parametrize("name", ["succeeds", "throws-in-chunk", "cancelled", "bad-metadata"])
def test_a_render_that_has_ended_stays_as_it_is(tmp_path: Path, name: str) -> None:
    last = steps(name)[-1]
    assert after_a_restart(tmp_path, last) == last


def test_a_still_never_says_that_it_has_ended_and_stays_as_it_is(tmp_path: Path) -> None:
    still = steps("succeeds")[10]
    still["renderMetadata"]["type"] = "still"
    assert after_a_restart(tmp_path, still) == still
