"""Renders on Remotion's real function, without this service."""

import json
import time
from typing import Any

from renders.remotion.start import prepare, start
from renders.remotion.target import LambdaTarget
from renders.sandbox.aws import Sandbox
from renders.sandbox.site import BUCKET


def render(sandbox: Sandbox, code: str, *, frames: int = 40, **props: Any) -> str | None:
    """Render ``code``; return the message that ended it, or None if it succeeded."""
    target = LambdaTarget.from_settings()
    payload = prepare(
        target,
        serve_url=sandbox.serve_url,
        composition="DynamicComp",
        input_props={"code": code, "durationInFrames": frames, "fps": 30, **props},
        options={},
        frames_per_lambda=60,
        concurrency=None,
        out_name="out.mp4",
        props_name="props",
    )
    started = start(target, payload)
    s3, key = sandbox.s3(), f"renders/{started.render_id}/progress.json"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        progress = json.load(s3.get_object(Bucket=BUCKET, Key=key)["Body"])
        if progress["postRenderData"]:
            return None
        if fatal := next((error for error in progress["errors"] if error["isFatal"]), None):
            return str(fatal["message"])
        time.sleep(0.3)
    raise AssertionError("The render did not end.")
