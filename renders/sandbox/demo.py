"""An example render through the API, over HTTP as a client would."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tqdm import tqdm

from renders.sandbox.api_client import ApiClient, download
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


def render_example(api: ApiClient, toolchain: Toolchain, *, say: Callable[[str], None]) -> Path:
    """Render the example, save it as ``.sandbox/video.mp4`` and return its path.

    Raise SandboxError if the render fails or the video is not what was asked for.
    """
    started_at = time.monotonic()
    render = start_example(api, say=say)
    say(f"renderId {render['renderId']}, answered in {time.monotonic() - started_at:.2f} s")
    output = _wait_for_output(api, render)
    video = toolchain.folder / "video.mp4"
    download(output["url"], video, size=output["size"])
    found = toolchain.probe_video(video)
    if any(found.get(name) != value for name, value in EXPECTED.items()):
        raise SandboxError(f"The video is not what was asked for: {found}, not {EXPECTED}.")
    say(
        f"{video} ({output['size']:,} bytes) is {found['codec_name']}, {found['width']}×{found['height']},"
        f" {found['nb_read_frames']} frames; it took {time.monotonic() - started_at:.1f} s"
    )
    return video


def start_example(api: ApiClient, *, say: Callable[[str], None]) -> dict[str, Any]:
    """Start the example as soon as the renders that an earlier run has left have ended."""
    has_said = False
    while True:
        answer = api.post("/api/lambda/render", EXAMPLE, retryable={429})
        if answer:
            return answer
        if not has_said:
            say("Waiting for the renders that the last run has left; --fresh deletes them.")
            has_said = True
        time.sleep(1)


def newest_render_page(api: ApiClient) -> str:
    """Return the path of the newest render's page in the admin; that of the admin if there is no render."""
    renders = api.get("/api/renders/?pageSize=1")["results"]
    return f"/admin/renders/render/{renders[0]['id']}/change/" if renders else "/admin/"


def _wait_for_output(api: ApiClient, render: dict[str, Any]) -> dict[str, Any]:
    """Poll until the render is done; return the answer with ``url`` and ``size``."""
    question = {"id": render["renderId"], "bucketName": render["bucketName"]}
    with progress_bar() as bar:
        while True:
            answer = api.post("/api/lambda/progress", question, retryable={429, 503})
            if answer.get("type") == "done":
                return answer
            if answer.get("type") == "error":
                raise SandboxError(f"The render failed: {answer['message']}")
            advance(bar, answer.get("progress", 0))
            time.sleep(0.5)


def progress_bar() -> Any:
    """Return a bar for the progress of a render; it is shown in a terminal only."""
    return tqdm(total=100, unit="%", bar_format="{l_bar}{bar}| {elapsed}", leave=False, disable=None)


def advance(bar: Any, progress: float) -> None:
    """Move the bar to ``progress``, 0 to 1, unless it is there already."""
    bar.update(max(0, round(progress * 100) - bar.n))
