"""Remotion's webhook: its settings, its signature, and what a delivery says.

https://www.remotion.dev/docs/lambda/webhooks
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID

from django.conf import settings

from renders.remotion.json import parse_json

SIGNATURE_HEADER = "X-Remotion-Signature"
NO_SECRET = "NO_SECRET_PROVIDED"  # noqa: S105
SIGNATURE = re.compile(r"sha512=[0-9a-f]{128}")
MAX_NAME_LENGTH = 255


class NotADelivery(Exception):
    """The body is not one that Remotion sends."""


@dataclass(frozen=True)
class WebhookSettings:
    """Where Remotion reports the end of a render, and the secrets that sign its reports."""

    url: str
    secrets: tuple[str, ...] = field(repr=False)
    """The first signs for renders that start now; any of them is accepted."""

    @classmethod
    def from_settings(cls) -> Self:
        """Return what the settings say now, complete or not."""
        secrets = (secret.strip() for secret in settings.REMOTION_WEBHOOK_SECRET.split(","))
        return cls(url=settings.REMOTION_WEBHOOK_URL, secrets=tuple(secret for secret in secrets if secret))

    @property
    def is_complete(self) -> bool:
        """Whether renders start with a webhook."""
        return bool(self.url and self.secrets)

    @property
    def is_configured(self) -> bool:
        """Whether deliveries may arrive; without a URL, those of renders that were started with one."""
        return bool(self.url or self.secrets)


@dataclass(frozen=True)
class Event:
    """What a delivery of any type names: the render that can be read now."""

    render_id: str
    bucket_name: str
    our_id: UUID | None
    """The ``id`` in the custom data that the render was started with; None without one of ours."""


def sign(body: bytes, *, secret: str) -> str:
    """Return the signature that Remotion sends with ``body``."""
    return "sha512=" + hmac.new(secret.encode(), body, hashlib.sha512).hexdigest()


def why_unverified(body: bytes, *, signature: str, secrets: Sequence[str]) -> str:
    """Return why ``body`` is not signed with one of ``secrets``; empty if it is."""
    if not secrets:
        return "REMOTION_WEBHOOK_SECRET is not set, so nothing can be verified."
    if not signature:
        return "There is no signature."
    if signature == NO_SECRET:
        return "The render was started without a secret."
    if not SIGNATURE.fullmatch(signature):
        return "The signature is not one of Remotion's form."
    if any(hmac.compare_digest(sign(body, secret=secret), signature) for secret in secrets):
        return ""
    return "The signature was made with another secret, or for another body."


def read_event(body: str) -> Event:
    """Return the event of a verified delivery. Raise NotADelivery if the body is not one."""
    try:
        delivery = parse_json(body.encode(), replace=True)
    except ValueError as err:
        raise NotADelivery(f"The body is not JSON that can be read: {err}.") from err
    if not isinstance(delivery, dict):
        raise NotADelivery("The body is not a JSON object.")
    return Event(
        render_id=_name(delivery, "renderId"),
        bucket_name=_name(delivery, "bucketName"),
        our_id=_our_id(delivery.get("customData")),
    )


def _our_id(custom_data: Any) -> UUID | None:
    try:
        return UUID(custom_data["id"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _name(delivery: dict[str, Any], key: str) -> str:
    name = delivery.get(key)
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME_LENGTH:
        raise NotADelivery(f"The body names no {key}.")
    return name
