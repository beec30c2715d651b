"""Secrets that are derived, and signatures that the official library accepts."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from renders.models import WebhookEndpoint
from renders.remotion.errors import SetupError
from renders.services.webhooks.secrets import current_secrets, secret_of, signed_headers

BODY = '{"type":"ping"}'


def make(**fields: Any) -> WebhookEndpoint:
    return WebhookEndpoint(url="https://example.com/", **fields)


def test_the_secret_is_32_bytes_and_another_for_each_endpoint_and_version() -> None:
    endpoint, other = make(), make()
    secrets = {secret_of(endpoint), secret_of(endpoint, version=2), secret_of(other)}
    assert len(secrets) == 3
    assert all(secret.startswith("whsec_") and len(secret) == 6 + 44 for secret in secrets)
    assert secret_of(endpoint) == secret_of(WebhookEndpoint(pk=endpoint.pk))


def test_another_key_makes_another_secret(settings: Any) -> None:
    endpoint = make()
    before = secret_of(endpoint)
    settings.WEBHOOK_SIGNING_KEY = "another"
    assert secret_of(endpoint) != before


def test_without_it_the_secret_key_is_used_unless_it_is_made_at_each_start(settings: Any) -> None:
    settings.WEBHOOK_SIGNING_KEY, settings.SECRET_KEY_IS_GENERATED = "", False
    assert secret_of(make())
    settings.SECRET_KEY_IS_GENERATED = True
    with pytest.raises(SetupError, match="Set DJANGO_SECRET_KEY or WEBHOOK_SIGNING_KEY"):
        secret_of(make())


def test_the_official_library_verifies_the_signature() -> None:
    endpoint = make()
    headers = signed_headers(endpoint, message_id="msg_1", body=BODY, at=timezone.now())
    assert Webhook(secret_of(endpoint)).verify(BODY, headers) == {"type": "ping"}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_of(make())).verify(BODY, headers)


def test_while_a_secret_is_rotated_both_verify_and_afterwards_only_the_new_one() -> None:
    now = timezone.now()
    endpoint = make(secret_version=2, previous_secret_until=now + timedelta(minutes=1))
    both = signed_headers(endpoint, message_id="msg_1", body=BODY, at=now)
    old, new = secret_of(endpoint, version=1), secret_of(endpoint)
    for secret in (old, new):
        assert Webhook(secret).verify(BODY, both)
    later = now + timedelta(minutes=2)
    assert current_secrets(endpoint, at=later) == [new]
