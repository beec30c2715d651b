"""Renders that were running when the sandbox was stopped: their functions are gone."""

import hashlib
import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from renders.sandbox.objects import ObjectFile

MESSAGE = "The sandbox was stopped while this render was running."


def fail_interrupted_renders(objects: ObjectFile) -> None:
    """Add a fatal error to each progress.json that has no end, as Remotion would if it could."""
    for stored in list(objects.matching("renders/%/progress.json")):
        progress = json.loads(stored.body)
        if _is_running(progress):
            body = json.dumps(_failed(progress)).encode()
            etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
            now = datetime.now(UTC).replace(tzinfo=None).isoformat()
            objects.save(replace(stored, body=body, etag=etag, last_modified=now))


def _is_running(progress: dict[str, Any]) -> bool:
    """Tell whether the file is a video's that has neither ended nor failed; a still's never changes."""
    is_still = (progress["renderMetadata"] or {}).get("type") == "still"
    has_failed = any(error["isFatal"] and not error["willRetry"] for error in progress["errors"])
    return progress["postRenderData"] is None and not has_failed and not is_still


def _failed(progress: dict[str, Any]) -> dict[str, Any]:
    error = {
        "type": "renderer",
        "name": "Error",
        "message": MESSAGE,
        "stack": MESSAGE,
        "frame": None,
        "chunk": None,
        "isFatal": True,
        "willRetry": False,
        "attempt": 1,
        "totalAttempts": 1,
        "tmpDir": None,
    }
    now_in_ms = round(time.time() * 1000)
    return {**progress, "errors": [*progress["errors"], error], "fatalErrorTimestamp": now_in_ms}
