"""What a function must be able to do, tried through ``renders.remotion``. Each trial raises if it cannot."""

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from renders.remotion import start, still
from renders.remotion.compositions import list_compositions
from renders.remotion.errors import StillFailed, Unavailable
from renders.remotion.info import ask_version, function_version
from renders.remotion.progress import RenderProgress, interpret
from renders.remotion.reader import Fetched, fetch_progress
from renders.remotion.start import StartedRender
from renders.remotion.storage import request_cancel
from renders.remotion.target import LambdaTarget
from renders.sandbox.aws import Sandbox

PATIENCE = 90
SCALE = 0.25
STILL_FORMATS = {"png": b"\x89PNG", "jpeg": b"\xff\xd8\xff", "webp": b"RIFF", "pdf": b"%PDF"}
THROWS = "export default () => { throw new Error('boom'); };"
EMITS = "export default () => useCurrentFrame() === 8 && <Artifact filename='words.txt' content='Hello' />;"


def try_version(sandbox: Sandbox) -> None:
    """The function's name and its answer tell the same version."""
    target = LambdaTarget.from_settings()
    _expect(function_version(target), ask_version(target))


def try_compositions(sandbox: Sandbox) -> None:
    """A site's compositions are listed."""
    (found,) = list_compositions(LambdaTarget.from_settings(), serve_url=sandbox.serve_url, input_props={})
    _expect((found.id, found.width, found.height), ("DynamicComp", 1280, 720))


def try_video(sandbox: Sandbox) -> None:
    """A video, its cost, artifact and size; every other frame of a range, on two functions."""
    options = {"frameRange": [6, 29], "everyNthFrame": 2}
    progress = _finish(_start(sandbox, EMITS, options=options, frames_per_lambda=None, concurrency=2))
    _expect(progress.error_message, "")
    _expect((progress.done, progress.duration_in_frames, progress.width, progress.height), (True, 12, 320, 180))
    _expect([artifact["filename"] for artifact in progress.artifacts], ["words.txt"])
    _expect(bool(progress.cost), True)
    video = _probe(sandbox, progress)
    _expect((video["codec_name"], video["nb_read_frames"], video["width"]), ("h264", "12", 320))


def try_still(sandbox: Sandbox) -> None:
    """A picture in each format, named and as large as the function says."""
    for image_format, first_bytes in STILL_FORMATS.items():
        found = _render_still(sandbox, "Hello", frame=7, image_format=image_format)
        _expect(found.output_key, f"renders/{found.render_id}/trial.{image_format}")
        picture = sandbox.s3().get_object(Bucket=found.output_bucket, Key=found.output_key)["Body"].read()
        _expect(len(picture), found.output_size)
        _expect(picture[: len(first_bytes)], first_bytes)


def try_failing_render(sandbox: Sandbox) -> None:
    """What a component throws is what the progress says."""
    _expect(_finish(_start(sandbox, THROWS)).error_message, "boom")


def try_failing_still(sandbox: Sandbox) -> None:
    """What a component throws is what the still failed with."""
    try:
        _render_still(sandbox, THROWS, frame=0)
    except StillFailed as err:
        _expect(str(err), "boom")
    else:
        raise AssertionError("It did not fail.")


def try_cancel(sandbox: Sandbox) -> None:
    """A render that is asked to stop ends as cancelled."""
    started = _start(sandbox, "Cancelled", frames=1500)
    _wait(started, lambda progress: progress.frames_rendered > 0)
    target = LambdaTarget.from_settings()
    request_cancel(target, bucket_name=started.bucket_name, render_id=started.render_id)
    _expect(_finish(started).was_cancelled, True)


TRIALS: dict[str, Callable[[Sandbox], None]] = {
    "version": try_version,
    "compositions": try_compositions,
    "video": try_video,
    "still": try_still,
    "failing video": try_failing_render,
    "failing still": try_failing_still,
    "cancel": try_cancel,
}


def _asked(sandbox: Sandbox, code: str, *, frames: int) -> dict[str, Any]:
    return {
        "serve_url": sandbox.serve_url,
        "composition": "DynamicComp",
        "input_props": {"code": code, "durationInFrames": frames, "fps": 30},
        "props_name": "trial",
    }


def _start(
    sandbox: Sandbox,
    code: str,
    *,
    frames: int = 30,
    options: dict[str, Any] | None = None,
    frames_per_lambda: int | None = 200,
    concurrency: int | None = None,
) -> StartedRender:
    target = LambdaTarget.from_settings()
    payload = start.prepare(
        target,
        **_asked(sandbox, code, frames=frames),
        options={"scale": SCALE, **(options or {})},
        frames_per_lambda=frames_per_lambda,
        concurrency=concurrency,
        out_name="trial.mp4",
    )
    return start.start(target, payload)


def _render_still(sandbox: Sandbox, code: str, *, frame: int, image_format: str = "png") -> still.FinishedStill:
    target = LambdaTarget.from_settings()
    payload = still.prepare(
        target,
        **_asked(sandbox, code, frames=30),
        options={"scale": SCALE, "imageFormat": image_format},
        frame=frame,
        out_name=f"trial.{image_format}",
    )
    return still.render_still(target, payload)


def _finish(started: StartedRender) -> RenderProgress:
    return _wait(started, lambda progress: progress.done or progress.fatal_error is not None)


def _wait(started: StartedRender, is_reached: Callable[[RenderProgress], bool]) -> RenderProgress:
    """Return the progress when it has reached this; look as often as a client would poll."""
    target, deadline = LambdaTarget.from_settings(), time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        progress = _read(target, started)
        if progress and is_reached(progress):
            return progress
        time.sleep(0.3)
    raise AssertionError(f"It took longer than {PATIENCE} s.")


def _read(target: LambdaTarget, started: StartedRender) -> RenderProgress | None:
    try:
        fetched = fetch_progress(target, bucket_name=started.bucket_name, render_id=started.render_id)
    except Unavailable:
        return None  # moto's S3 fails now and then while a file is overwritten
    if not isinstance(fetched, Fetched):
        return None
    now_in_ms = time.time() * 1000
    return interpret(
        fetched.file, bucket_name=started.bucket_name, now_in_ms=now_in_ms, function_timeout=target.function_timeout
    )


def _probe(sandbox: Sandbox, progress: RenderProgress) -> dict[str, str]:
    with TemporaryDirectory() as folder:
        video = Path(folder) / "trial.mp4"
        sandbox.s3().download_file(progress.out_bucket, progress.out_key, str(video))
        return sandbox.toolchain.probe_video(video)


def _expect(found: object, expected: object) -> None:
    if found != expected:
        raise AssertionError(f"{found!r}, not {expected!r}")
