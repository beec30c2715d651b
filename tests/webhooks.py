"""Remotion's webhook deliveries, signed as Remotion signs them."""

import json
from typing import Any

from django.test import Client

from renders.models import Render, WebhookDelivery
from renders.remotion.webhook import sign
from tests.factories import BUCKET, load_recording

PATH = "/api/lambda/webhook"
RECORDED = load_recording("webhooks")
SECRET = RECORDED["secret"]
URL = f"https://renders.example{PATH}"


def post(body: bytes, signature: str | None, **headers: str) -> Any:
    if signature is not None:
        headers["X-Remotion-Signature"] = signature
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    return client.post(PATH, body, content_type="application/json", headers=headers)


def deliver(body: bytes) -> WebhookDelivery:
    """Post a signed delivery; return the row that is kept of it."""
    response = post(body, sign(body, secret=SECRET))
    assert (response.status_code, response.json()) == (200, {"success": True})
    return WebhookDelivery.objects.latest("pk")


def body_of(
    render_id: str = "abc123", *, bucket: str = BUCKET, custom_data: Any = None, recorded: str = "success"
) -> bytes:
    """Return a recorded body with renderId, bucket and customData replaced."""
    body = json.loads(RECORDED["deliveries"][recorded]["body"])
    body |= {"renderId": render_id, "bucketName": bucket, "customData": custom_data}
    return json.dumps(body, separators=(",", ":")).encode()


def about(render: Render, **changes: Any) -> bytes:
    return body_of(render.render_id, **{"custom_data": {"id": str(render.id)}, **changes})
