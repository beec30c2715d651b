"""What an event says of its render, under the names of the API."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from renders.models import Render

FIELDS = (
    "owner_id", "status", "progress", "kind", "template__name", "render_id", "bucket_name", "region", "failure_reason",
    "error", "duration_in_frames", "fps", "width", "height", "output_bucket", "output_key", "output_size", "cost",
    "currency", "external_id", "metadata", "batch_id", "retry_of_id", "poster_of_id", "created_at", "submitted_at",
    "finished_at",
)  # fmt: skip
"""What ``render_data()`` needs of a row."""


def render_data(render: Render) -> dict[str, Any]:
    """Return the render as it is now, for ``Event.data``. Loads ``template`` unless it is selected."""
    return {
        "id": str(render.pk),
        "status": render.status,
        "progress": render.progress,
        "kind": render.kind,
        "template": render.template.name if render.template else None,
        "renderId": render.render_id,
        "bucketName": render.bucket_name,
        "region": render.region,
        "failureReason": render.failure_reason,
        "error": render.error,
        "durationInFrames": render.duration_in_frames,
        "fps": render.fps,
        "width": render.width,
        "height": render.height,
        "outputBucket": render.output_bucket,
        "outputKey": render.output_key,
        "outputSize": render.output_size,
        "cost": render.cost,
        "currency": render.currency,
        "externalId": render.external_id,
        "metadata": render.metadata,
        "batchId": as_text(render.batch_id),
        "retryOf": as_text(render.retry_of_id),
        "posterOf": as_text(render.poster_of_id),
        "createdAt": as_text(render.created_at),
        "submittedAt": as_text(render.submitted_at),
        "finishedAt": as_text(render.finished_at),
    }


def as_text(value: Any) -> str | None:
    """Return an id or a time as the API writes it."""
    if isinstance(value, datetime):
        return value.astimezone(timezone.get_default_timezone()).isoformat().replace("+00:00", "Z")
    return None if value is None else str(value)
