"""What stands on S3 in the tests: recorded progress.json files, and where they are."""

import json
from typing import Any

from django.utils import timezone

from renders.models import Render
from tests.factories import BUCKET, load_recording
from tests.servers import Answer, ScriptedServer, reply

RENDERS = f"/{BUCKET}/renders/"
NO_METADATA = reply({**load_recording("succeeds")[-1]["progress.json"], "renderMetadata": None})


def progress_path(render: Render) -> str:
    return f"{RENDERS}{render.render_id}/progress.json"


def recorded(name: str = "succeeds", step: int = -1, seconds_left: float = 60) -> dict[str, Any]:
    """Return a recorded progress.json whose deadline is ``seconds_left`` from now."""
    progress_json = load_recording(name)[step]["progress.json"]
    return {**progress_json, "timeoutTimestamp": (timezone.now().timestamp() + seconds_left) * 1000}


def last_progress(recording: str = "succeeds") -> Answer:
    return reply(load_recording(recording)[-1]["progress.json"])


def store(aws: ScriptedServer, render_id: str = "abc123", *, bucket: str = BUCKET, answer: Answer | None = None) -> str:
    """Put a progress.json on the scripted S3; return the path of the render's folder."""
    path = f"/{bucket}/renders/{render_id}/"
    aws.answers[path] = answer or last_progress()
    return path


def put(s3: Any, key: str, value: Any = None) -> None:
    """Put JSON into moto's bucket."""
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(value or {}))


def listing(*keys: str) -> Answer:
    """What S3 answers to ListObjectsV2 of a bucket with these files, all of them new."""
    at = timezone.now().strftime("%Y-%m-%dT%H:%M:%S.000Z")
    files = "".join(
        f"<Contents><Key>{key}</Key><LastModified>{at}</LastModified><Size>1</Size></Contents>" for key in keys
    )
    return Answer(f"<ListBucketResult><IsTruncated>false</IsTruncated>{files}</ListBucketResult>".encode())
