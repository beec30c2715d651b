"""Rows for tests, as the database's constraints want them."""

import json
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Permission, User
from django.utils import timezone

from renders.models import Event, RefreshState, Render, Template, WebhookEndpoint, WebhookMessage
from renders.services.create import create_render
from renders.services.render_request import RenderRequest

RECORDINGS = Path(__file__).parent / "recordings"
INPUT_PROPS = {"code": "Create a rotating 3D cube with blue color", "durationInFrames": 150, "fps": 30}
BODY = {"inputProps": INPUT_PROPS}
REFRESH_FIELDS = ("next_refresh_at", "asked_at", "answered_at", "watched_at", "etag")
BUCKET = "remotionlambda-useast1-abcdefgh"


def load_recording(name: str) -> Any:
    return json.loads((RECORDINGS / f"{name}.json").read_text())


def make_render(status: str = Render.Status.RENDERING, **fields: Any) -> Render:
    """A row; one that renders is due. ``fields`` may be those of its RefreshState too."""
    has_remote = status not in (Render.Status.QUEUED, Render.Status.SUBMITTING)
    defaults: dict[str, Any] = {
        "status": status,
        "failure_reason": Render.FailureReason.RENDER_ERROR if status == Render.Status.FAILED else "",
        "input_props": INPUT_PROPS,
        "composition": "DynamicComp",
        "serve_url": "renderhub",
        "function_name": "remotion-render-4-0-527-mem3009mb-disk10240mb-240sec",
        "function_timeout": 240,
        "region": "us-east-1",
        "configured_bucket": BUCKET,
        "frames_per_lambda": 60,
        "codec": "h264",
        "duration_in_frames": 150,
        "fps": 30,
        "remotion_version": "4.0.527",
        "render_id": uuid.uuid4().hex[:10] if has_remote else "",
        "bucket_name": BUCKET if has_remote else "",
        "output_bucket": BUCKET if status == Render.Status.SUCCEEDED else "",
        "output_key": "renders/abc123/out.mp4" if status == Render.Status.SUCCEEDED else "",
        "slots_needed": 4,
        "queue_rank": timezone.now(),
        "submitted_at": timezone.now() - timedelta(seconds=10),
        "slots_until": timezone.now() + timedelta(minutes=9),
        "finished_at": timezone.now() if status in Render.TERMINAL else None,
        "created_at": fields.get("finished_at") or timezone.now(),
    }
    own = {name: fields.pop(name) for name in REFRESH_FIELDS if name in fields}
    render = Render.objects.create(**{**defaults, **fields})
    if own or status == Render.Status.RENDERING:
        place = {"region": render.region, "bucket_name": render.bucket_name}
        RefreshState.objects.create(render=render, **{"next_refresh_at": timezone.now(), **place, **own})
    return render


def make_unconfirmed(**fields: Any) -> Render:
    """A row whose start is unconfirmed."""
    return make_render(Render.Status.SUBMITTING, error="AWS did not answer.", **fields)


def create(owner: Any = None, **options: Any) -> Render:
    """A row that went the way of ``POST /api/renders/``."""
    return create_render(owner=owner, request=RenderRequest(input_props=INPUT_PROPS), may_wait=True, **options).render


def make_due(**fields: Any) -> None:
    """Make every row due; ``fields`` are set on all rows."""
    if fields:
        Render.objects.update(**fields)
    for render in Render.objects.filter(refresh_state=None):
        place = {"region": render.region, "bucket_name": render.bucket_name}
        RefreshState.objects.create(render=render, next_refresh_at=timezone.now(), **place)
    RefreshState.objects.update(next_refresh_at=timezone.now() - timedelta(seconds=1))


def grant(user: User, *codenames: str) -> None:
    """Give a user permissions of this app."""
    permissions = Permission.objects.filter(content_type__app_label="renders", codename__in=codenames)
    assert len(permissions) == len(codenames)
    user.user_permissions.add(*permissions)


def make_template(name: str = "promo", **fields: Any) -> Template:
    """A template that takes any input and options, unless ``fields`` say otherwise."""
    return Template.objects.create(**{"name": name, "composition": "Promo", **fields})


def make_endpoint(owner: User, url: str, **fields: Any) -> WebhookEndpoint:
    """An endpoint that gets all events."""
    return WebhookEndpoint.objects.create(owner=owner, url=url, **fields)


def make_message(endpoint: WebhookEndpoint, render: Render | None = None, **fields: Any) -> WebhookMessage:
    """A message about an event of the render, or a ping; it is due."""
    event = fields.pop("event", None)
    if render:
        event = Event.objects.create(type="render.succeeded", owner=endpoint.owner, render=render, data={"id": "a"})
    defaults = {"type": event.type if event else "ping", "url": endpoint.url}
    return WebhookMessage.objects.create(endpoint=endpoint, event=event, render=render, **{**defaults, **fields})
