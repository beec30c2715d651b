"""The signature of a webhook's delivery, and what its body says. Pure: no network, no database.

https://www.remotion.dev/docs/lambda/webhooks
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from renders.remotion.aws import parse_json

SIGNATURE_HEADER = "X-Remotion-Signature"
NO_SECRET = "NO_SECRET_PROVIDED"  # noqa: S105
LONGEST_NAME = 255


class NotADelivery(Exception):
    """A body that is none of Remotion's."""


@dataclass(frozen=True)
class Event:
    """What a delivery tells, of whichever type: something of this render can be read now."""

    render_id: str
    bucket_name: str
    our_id: str
    """The ``id`` in the custom data that the render was started with; empty without one."""


def sign(body: bytes, *, secret: str) -> str:
    """The signature that Remotion sends with ``body``."""
    return "sha512=" + hmac.new(secret.encode(), body, hashlib.sha512).hexdigest()


def why_unverified(body: bytes, *, signature: str, secrets: Sequence[str]) -> str:
    """Why ``body`` is not known to be signed with one of our secrets; empty if it is."""
    if not secrets:
        return "REMOTION_WEBHOOK_SECRET is not set, so nothing can be verified."
    if not signature:
        return "There is no signature."
    if signature == NO_SECRET:
        return "The render was started without a secret."
    # As bytes, because what a stranger sends need not be ASCII.
    if any(hmac.compare_digest(sign(body, secret=secret).encode(), signature.encode()) for secret in secrets):
        return ""
    return "The signature does not fit: it is of another secret, or of another body."


def read_event(body: str) -> Event:
    """Raises NotADelivery."""
    try:
        said = parse_json(body.encode())
    except (ValueError, RecursionError) as err:
        raise NotADelivery(f"The body is not JSON that can be read: {err}.") from err
    if not isinstance(said, dict):
        raise NotADelivery("The body is not a JSON object.")
    custom_data = said.get("customData")
    our_id = custom_data.get("id") if isinstance(custom_data, dict) else None
    return Event(
        render_id=_name(said, "renderId"),
        bucket_name=_name(said, "bucketName"),
        our_id=our_id if isinstance(our_id, str) else "",
    )


def _name(said: dict[str, Any], key: str) -> str:
    name = said.get(key)
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
        raise NotADelivery(f"The body names no {key}.")
    return name
