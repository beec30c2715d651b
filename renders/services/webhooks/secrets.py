"""Secrets of endpoints, which are derived and never stored, and the signatures of messages.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta

from django.conf import settings
from standardwebhooks.webhooks import Webhook

from renders.models import WebhookEndpoint
from renders.remotion.errors import SetupError

PREFIX = "whsec_"
ROTATION_PERIOD = timedelta(hours=24)
"""How long after a rotation messages carry a signature by the previous secret too."""

NO_KEY = (
    "Set DJANGO_SECRET_KEY or WEBHOOK_SIGNING_KEY: without either, the secrets of webhook endpoints would change at"
    " every start of the service."
)


def secret_of(endpoint: WebhookEndpoint, *, version: int | None = None) -> str:
    """Return the endpoint's secret, ``whsec_`` and 32 bytes in base64. Raise SetupError without a lasting key."""
    text = f"webhook endpoint {endpoint.pk} version {version or endpoint.secret_version}"
    digest = hmac.new(_key(), text.encode(), hashlib.sha256).digest()
    return PREFIX + base64.b64encode(digest).decode()


def current_secrets(endpoint: WebhookEndpoint, *, at: datetime) -> list[str]:
    """Return the secrets that are good at that time, the newest first. Raise SetupError."""
    secrets = [secret_of(endpoint)]
    if endpoint.previous_secret_until and endpoint.previous_secret_until > at:
        secrets.append(secret_of(endpoint, version=endpoint.secret_version - 1))
    return secrets


def signed_headers(endpoint: WebhookEndpoint, *, message_id: str, body: str, at: datetime) -> dict[str, str]:
    """Return the three headers of Standard Webhooks. Raise SetupError."""
    signatures = [
        Webhook(secret).sign(msg_id=message_id, timestamp=at, data=body) for secret in current_secrets(endpoint, at=at)
    ]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _key() -> bytes:
    if settings.WEBHOOK_SIGNING_KEY:
        return str(settings.WEBHOOK_SIGNING_KEY).encode()
    if settings.SECRET_KEY_IS_GENERATED:
        raise SetupError(NO_KEY)
    return settings.SECRET_KEY.encode()
