"""Create and change webhook endpoints."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from renders.models import Event, WebhookEndpoint, WebhookMessage
from renders.services.errors import Conflict, InvalidRequest
from renders.services.webhooks.secrets import ROTATION_PERIOD, secret_of
from renders.services.webhooks.urls import url_problem

MAX_ENDPOINTS = 50
"""For each owner: every event is a message for each."""

TOO_MANY = f"You have {MAX_ENDPOINTS} webhook endpoints, which is the most: delete one first."
NOT_ITS_OWN = "This endpoint stands for the webhookUrl of your renders: only description and enabled can be changed."
CHANGEABLE = ("url", "description", "events", "enabled")


def create_endpoint(
    *, owner: Any, url: str, description: str = "", events: Sequence[str] = (), enabled: bool = True
) -> WebhookEndpoint:
    """Create an endpoint. Raise InvalidRequest for a URL or type that cannot be used, Conflict, SetupError."""
    endpoint = WebhookEndpoint(
        owner=owner, url=url, description=description, events=list(dict.fromkeys(events)), enabled=enabled
    )
    check_endpoint(endpoint)
    secret_of(endpoint)
    require_room(owner)
    endpoint.save(force_insert=True)
    return endpoint


def require_room(owner: Any) -> None:
    """Raise Conflict if the owner has as many endpoints as one may have."""
    if WebhookEndpoint.objects.filter(owner=owner).exclude(url="").count() >= MAX_ENDPOINTS:
        raise Conflict(TOO_MANY)


def update_endpoint(endpoint: WebhookEndpoint, **changes: Any) -> WebhookEndpoint:
    """Change fields of an endpoint, and return it. Raise InvalidRequest.

    Enabling one forgets its failures. Messages that wait go to its new URL; those of one that is disabled fail.
    """
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
        if endpoint.is_for_render_urls and changes.keys() & {"url", "events"}:
            raise InvalidRequest(dict.fromkeys(changes.keys() & {"url", "events"}, NOT_ITS_OWN))
        was_enabled, old_url = endpoint.enabled, endpoint.url
        for name in changes.keys() & set(CHANGEABLE):
            setattr(endpoint, name, changes[name])
        check_endpoint(endpoint)
        if endpoint.enabled and not was_enabled:
            endpoint.disabled_reason, endpoint.failing_since = "", None
        endpoint.save()
        if endpoint.url != old_url:
            endpoint.messages.filter(status=WebhookMessage.Status.PENDING).update(url=endpoint.url)
        if was_enabled and not endpoint.enabled:
            disable(endpoint, reason="")
    return endpoint


def check_endpoint(endpoint: WebhookEndpoint) -> None:
    """Raise InvalidRequest if its URL or one of its events cannot be used."""
    errors = {}
    if not endpoint.is_for_render_urls and (problem := url_problem(endpoint.url)):
        errors["url"] = problem
    if unknown := [name for name in endpoint.events if name not in Event.Type.values]:
        errors["events"] = f"{unknown[0]} is no type of event. Use {', '.join(Event.Type.values)}."
    if errors:
        raise InvalidRequest(errors)


def delete_endpoint(endpoint: WebhookEndpoint) -> None:
    """Delete an endpoint with its messages."""
    with transaction.atomic():
        if WebhookEndpoint.objects.select_for_update().filter(pk=endpoint.pk).exists():
            endpoint.delete()


def disable(endpoint: WebhookEndpoint, *, reason: str) -> None:
    """Disable a locked endpoint, and end its messages: they can be replayed when it is enabled again."""
    endpoint.enabled, endpoint.disabled_reason = False, reason
    endpoint.save(update_fields=["enabled", "disabled_reason"])
    pending = endpoint.messages.filter(status=WebhookMessage.Status.PENDING)
    pending.update(status=WebhookMessage.Status.FAILED, finished_at=timezone.now())


def rotate_secret(endpoint: WebhookEndpoint, *, period: timedelta = ROTATION_PERIOD) -> WebhookEndpoint:
    """Give an endpoint a new secret. For ``period``, messages are signed with the previous one too.

    Raise Conflict while an earlier rotation is under way: its previous secret would end at once.
    """
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
        now = timezone.now()
        if endpoint.previous_secret_until and endpoint.previous_secret_until > now:
            until = endpoint.previous_secret_until.isoformat(timespec="seconds").replace("+00:00", "Z")
            raise Conflict(f"The secret was rotated already; the previous one is good until {until}.")
        endpoint.secret_version += 1
        endpoint.previous_secret_until = now + period
        secret_of(endpoint)
        endpoint.save(update_fields=["secret_version", "previous_secret_until"])
    return endpoint


def render_urls_endpoint(owner: Any) -> WebhookEndpoint:
    """Return the owner's endpoint for the ``webhookUrl`` of renders, made when it is first needed.

    Its secret signs those messages. Raise SetupError.
    """
    endpoint, _ = WebhookEndpoint.objects.get_or_create(owner=owner, url="")
    secret_of(endpoint)
    return endpoint
