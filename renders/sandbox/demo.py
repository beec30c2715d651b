"""An example render through the API, over HTTP as a client would."""

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
    """Render the example, save it as ``.sandbox/video.mp4`` and return its path.

    Raise SandboxError if the render fails or the video is not what was asked for.
    """
    started_at = time.monotonic()
    render = start_example(web_url, say=say)
    say(f"renderId {render['renderId']}, answered in {time.monotonic() - started_at:.2f} s")
    output = _wait_for_output(web_url, render)
    video = toolchain.folder / "video.mp4"
    _download(output, video)
    found = toolchain.probe_video(video)
    if any(found.get(name) != value for name, value in EXPECTED.items()):
        raise SandboxError(f"The video is not what was asked for: {found}, not {EXPECTED}.")
    say(
        f"{video} ({output['size']:,} bytes) is {found['codec_name']}, {found['width']}×{found['height']},"
        f" {found['nb_read_frames']} frames; it took {time.monotonic() - started_at:.1f} s"
    )
    return video


def start_example(web_url: str, *, say: Callable[[str], None]) -> dict[str, Any]:
    """Start the example as soon as the renders that an earlier run has left have ended."""
    has_said = False
    while True:
        answer = _post(f"{web_url}/api/lambda/render", EXAMPLE, retryable={429})
        if "renderId" in answer:
            return answer
        if not has_said:
            say("Waiting for the renders that the last run has left; --fresh deletes them.")
            has_said = True
        time.sleep(1)


def _wait_for_output(web_url: str, render: dict[str, Any]) -> dict[str, Any]:
    """Poll until the render is done; return the answer with ``url`` and ``size``."""
    question = {"id": render["renderId"], "bucketName": render["bucketName"]}
    with tqdm(total=100, unit="%", bar_format="{l_bar}{bar}| {elapsed}", leave=False, disable=None) as bar:
        while True:
            answer = _post(f"{web_url}/api/lambda/progress", question, retryable={503})
            if answer["type"] == "done":
                return answer
            if answer["type"] == "error":
                raise SandboxError(f"The render failed: {answer['message']}")
            bar.update(max(0, round(answer["progress"] * 100) - bar.n))
            time.sleep(0.5)


def _download(output: dict[str, Any], video: Path) -> None:
    with urllib.request.urlopen(output["url"], timeout=30) as response, video.open("wb") as file:  # noqa: S310
        shutil.copyfileobj(response, file)
    if video.stat().st_size != output["size"]:
        raise SandboxError(f"The video has {video.stat().st_size} bytes; the API said {output['size']}.")


def _post(url: str, body: dict[str, Any], *, retryable: Container[int] = ()) -> dict[str, Any]:
    """Return the JSON answer; a progress of 0 for a status in ``retryable``."""
    request = urllib.request.Request(  # noqa: S310
        url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=90) as response:  # noqa: S310
            answer: dict[str, Any] = json.load(response)
    except urllib.error.HTTPError as err:
        if err.code in retryable:
            return {"type": "progress", "progress": 0}
        raise SandboxError(f"{url} answered {err.code}: {err.read().decode(errors='replace')}") from err
    except OSError as err:
        raise SandboxError(f"{url} does not answer: {err}") from err
    return answer
