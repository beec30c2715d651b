"""What a message says: the body that is signed and sent."""

import json
from typing import Any

from renders.models import WebhookMessage
from renders.services.events.payload import as_text

PING = "ping"
"""Type of the message by which an endpoint is tried."""


def message_data(message: WebhookMessage) -> dict[str, Any]:
    """Return the body as JSON: its type, when that happened, and the render or batch as it was then."""
    event = message.event
    if event is None:
        return {"type": message.type, "timestamp": as_text(message.created_at), "data": {}}
    return {"type": event.type, "timestamp": as_text(event.created_at), "data": event.data}


def message_body(message: WebhookMessage) -> str:
    """Return the body as it is sent. It is the same at each attempt."""
    return json.dumps(message_data(message), separators=(",", ":"), ensure_ascii=False)
