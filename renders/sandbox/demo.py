"""Renders the seed's example as a client would: over HTTP, through the API."""

import json
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Container
from pathlib import Path
from typing import Any

from tqdm import tqdm

from renders.sandbox.errors import SandboxError
from renders.sandbox.toolchain import Toolchain

EXAMPLE = {
    "inputProps": {
        "code": "Create a rotating 3D cube with blue color",
        "durationInFrames": 150,
        "fps": 30,
    }
}
EXPECTED = {"codec_name": "h264", "nb_read_frames": "150", "avg_frame_rate": "30/1"}


def render_example(web_url: str, toolchain: Toolchain, *, say: Callable[[str], None]) -> Path:
    """Renders the example into ``.sandbox/video.mp4`` and checks it. Raises SandboxError."""
    started = time.monotonic()
    render = _post(f"{web_url}/api/lambda/render", EXAMPLE)
    say(f"renderId {render['renderId']}, answered in {time.monotonic() - started:.2f} s")
    done = _wait(web_url, render)
    video = toolchain.folder / "video.mp4"
    with urllib.request.urlopen(done["url"], timeout=30) as response, video.open("wb") as file:  # noqa: S310
        shutil.copyfileobj(response, file)
    if video.stat().st_size != done["size"]:
        raise SandboxError(f"The video has {video.stat().st_size} bytes; the API said {done['size']}.")
    found = toolchain.probe_video(video)
    if any(found.get(name) != value for name, value in EXPECTED.items()):
        raise SandboxError(f"The video is not what was asked for: {found}, not {EXPECTED}.")
    say(
        f"{video} ({done['size']:,} bytes) is {found['codec_name']}, {found['width']}×{found['height']},"
        f" {found['nb_read_frames']} frames; it took {time.monotonic() - started:.1f} s"
    )
    return video


def _wait(web_url: str, render: dict[str, Any]) -> dict[str, Any]:
    asked = {"id": render["renderId"], "bucketName": render["bucketName"]}
    with tqdm(total=100, unit="%", bar_format="{l_bar}{bar}| {elapsed}", leave=False) as bar:
        while True:
            answer = _post(f"{web_url}/api/lambda/progress", asked, passing={503})
            if answer["type"] == "done":
                return answer
            if answer["type"] == "error":
                raise SandboxError(f"The render failed: {answer['message']}")
            bar.update(max(0, round(answer["progress"] * 100) - bar.n))
            time.sleep(0.5)


def _post(url: str, body: dict[str, Any], passing: Container[int] = ()) -> dict[str, Any]:
    """The answer; for a status that will pass, that there is no progress."""
    request = urllib.request.Request(  # noqa: S310
        url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=90) as response:  # noqa: S310
            answer: dict[str, Any] = json.load(response)
    except urllib.error.HTTPError as err:
        if err.code in passing:
            return {"type": "progress", "progress": 0}
        raise SandboxError(f"{url} answered {err.code}: {err.read().decode(errors='replace')}") from err
    except OSError as err:
        raise SandboxError(f"{url} does not answer: {err}") from err
    return answer
