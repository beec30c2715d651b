"""A Remotion project of somebody's in the sandbox: the real command, the project's own bundler, the real function."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from renders.remotion.compositions import list_compositions
from renders.sandbox.api_client import download
from renders.sandbox.aws import KEY, Sandbox
from renders.sandbox.steps import NODE
from renders.sandbox.toolchain import Toolchain

pytestmark = pytest.mark.system

COMPOSITIONS = {
    "Title": "640×360, 30 fps, 60 frames",
    "Slides": "640×360, 30 fps, 90 frames",
    "Clip": "640×360, 30 fps, 45 frames",
    "Overlay": "640×360, 30 fps, 30 frames",
    "Report": "640×360, 30 fps, 30 frames",
    "Long": "160×90, 30 fps, 15000 frames",
    "Cover": "640×360, a still",
}


class Command:
    """``manage.py sandbox --project`` as a process whose output is read while it runs."""

    def __init__(self, *arguments: str | Path) -> None:
        self.output = ""
        self._process = subprocess.Popen(
            [sys.executable, "-u", "manage.py", "sandbox", *map(str, arguments)],
            cwd=django_settings.BASE_DIR,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def read_until(self, words: str) -> str:
        """Return what it printed since the last call, up to the line with these words."""
        assert self._process.stdout
        seen = ""
        for line in self._process.stdout:
            seen += line
            self.output += line
            if words in line:
                return seen
        raise AssertionError(self.output)

    def wait(self) -> int:
        self.output += self._process.communicate(timeout=300)[0]
        return self._process.returncode

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)
        self.wait()


@contextmanager
def running(*arguments: str | Path) -> Iterator[Command]:
    command = Command(*arguments)
    try:
        yield command
    finally:
        command.stop()


def get(url: str) -> Any:
    with urllib.request.urlopen(url) as response:  # noqa: S310
        return json.load(response)


def run_curl(line: str) -> Any:
    """Send the request of a printed ``curl`` line; return the answer."""
    words = shlex.split(line)
    headers = dict([words[words.index("-H") + 1].split(": ")])
    data = words[words.index("-d") + 1].encode()
    url = next(word for word in words if word.startswith("http"))
    with urllib.request.urlopen(urllib.request.Request(url, data, headers)) as response:  # noqa: S310
        return json.load(response)


def finished(url: str) -> Any:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        row = get(url)
        if row["status"] in {"succeeded", "failed", "cancelled"}:
            return row
        time.sleep(0.5)
    raise AssertionError(row)


def test_one_command_renders_the_first_composition(toolchain: Toolchain, project_folder: Path, tmp_path: Path) -> None:
    video = toolchain.folder / "Title.mp4"
    video.unlink(missing_ok=True)
    command = Command("--project", project_folder, "--once", "--data", tmp_path / "data")
    assert command.wait() == 0, command.output
    found = toolchain.probe_video(video)
    assert (found["codec_name"], found["nb_read_frames"]) == ("h264", "60")
    assert re.findall(r"^  (\w+)  (\d.*)$", command.output, re.MULTILINE) == list(COMPOSITIONS.items())
    curls = re.findall(r"^    (curl .*)$", command.output, re.MULTILINE)
    bodies = [json.loads(shlex.split(line)[-1]) for line in curls]
    assert bodies[0] == {"template": "title", "inputProps": {"title": "Hello", "color": "#0b84f3", "showLogo": True}}
    assert bodies[-1]["kind"] == "still"
    assert re.search(r"^  Admin    http://127\.0\.0\.1:\d+/admin/", command.output, re.MULTILINE)


@pytest.fixture
def copy(project_folder: Path, tmp_path: Path) -> Path:
    """A copy of the project whose files may be changed."""
    folder = tmp_path / "changing-video"
    shutil.copytree(project_folder, folder, ignore=shutil.ignore_patterns("node_modules"))
    (folder / "node_modules").symlink_to(project_folder / "node_modules")
    return folder


def test_saving_a_file_bundles_again(toolchain: Toolchain, copy: Path, tmp_path: Path) -> None:
    root = copy / "src" / "Root.tsx"
    source = root.read_text()
    with running("--project", copy, "--composition", "Clip", "--watch", "--data", tmp_path / "data") as command:
        output = command.read_until("Serving until Ctrl-C")
        address = re.search(r"Service +(\S+)", output)[1]  # type: ignore[index]
        assert toolchain.probe_video(toolchain.folder / "Clip.mp4")["nb_read_frames"] == "45", (
            "with an <OffthreadVideo>"
        )
        assert get(f"{address}/api/templates/clip/")["width"] == 640

        root.write_text(source.replace("width: 640, height: 360", "width: 320, height: 180"))
        assert "Saved src/Root.tsx." in command.read_until("Published")
        assert get(f"{address}/api/templates/clip/")["width"] == 320

        root.write_text(source + "const = 3")
        assert "Expected identifier but found" in command.read_until("Renders use the last bundle")
        curl = next(line for line in output.splitlines() if '"template": "cover"' in line)
        still = finished(f"{address}/api/renders/{run_curl(curl)['id']}/")
        download(still["outputUrl"], tmp_path / "cover.png", size=still["outputSize"])
        assert str(toolchain.probe_video(tmp_path / "cover.png")["width"]) == "320"

        root.write_text(source)
        command.read_until("Published")
        assert get(f"{address}/api/templates/clip/")["width"] == 640


def test_a_project_that_does_not_bundle_is_status_1(toolchain: Toolchain, copy: Path, tmp_path: Path) -> None:
    (copy / "src" / "Clip.tsx").unlink()
    command = Command("--project", copy, "--once", "--data", tmp_path / "data")
    assert command.wait() == 1
    assert (
        f"CommandError: {copy} does not bundle: Error: Module not found: Error: Can't resolve './Clip'"
        in command.output
    )
    assert "Starting S3" not in command.output


def test_a_site_that_remotions_own_command_deploys_is_rendered(toolchain: Toolchain, sandbox: Sandbox) -> None:
    cli = toolchain.node_modules / "@remotion/cli/remotion-cli.js"
    subprocess.run(
        [NODE, cli, "lambda", "sites", "create", "site/index.jsx", "--site-name=deployed"],
        cwd=toolchain.app,
        env={
            "PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}",
            "REMOTION_AWS_ACCESS_KEY_ID": KEY,
            "REMOTION_AWS_SECRET_ACCESS_KEY": KEY,
            "AWS_ENDPOINT_URL_S3": sandbox.s3_url,
            "AWS_ENDPOINT_URL_STS": sandbox.s3_url,
        },
        check=True,
        capture_output=True,
    )
    printed = "https://remotionlambda-useast1-sandbox000.s3.us-east-1.amazonaws.com/sites/deployed/index.html"
    for site in ("deployed", printed):
        found = list_compositions(sandbox.target(), serve_url=site, input_props={"durationInFrames": 5, "fps": 30})
        assert [composition.id for composition in found] == ["DynamicComp"]
