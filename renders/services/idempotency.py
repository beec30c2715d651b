"""Idempotency keys: the same request, sent again, is the same render.

https://docs.stripe.com/api/idempotent_requests
"""

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from renders.models import Render, RenderQuerySet
from renders.services.errors import KeyConflict

IDEMPOTENCY_KEY_TTL = timedelta(days=7)

RESERVED_KEY_PREFIX = "→ "
"""Begins the keys that the service makes itself. A client's key is ASCII, so it cannot begin like this."""

START_MARGIN = timedelta(seconds=30)
"""How long after the start's time limit its outcome is certainly stored, if it ever will be."""

IN_USE = "The first request with this Idempotency-Key is still being answered: try again in a moment."


def fingerprint(*, input_props: dict[str, Any], priority: int, may_wait: bool) -> str:
    """Return a hash that is equal for equal requests, whatever the order of their keys."""
    body = json.dumps([input_props, priority, may_wait], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(body.encode()).hexdigest()


def with_same_key(render: Render) -> RenderQuerySet:
    """Return the stored render of the same owner and key, if there is one."""
    return Render.objects.filter(owner=render.owner, idempotency_key=render.idempotency_key)


def replayed(render: Render) -> Render:
    """Return the stored render that has the key of ``render``.

    Raise KeyConflict if it was another request, or if its start is still being answered.
    """
    first = with_same_key(render).first()
    if first is None:
        raise KeyConflict(IN_USE, is_in_use=True)
    if first.idempotency_fingerprint != render.idempotency_fingerprint:
        raise KeyConflict(
            "This Idempotency-Key was used for another request: send a new one, or the same body to the same address.",
            is_in_use=False,
        )
    if is_being_started(first):
        raise KeyConflict(IN_USE, is_in_use=True)
    return first


def is_being_started(render: Render) -> bool:
    """Return whether some process may still be waiting for the answer to this render's start."""
    if render.status != Render.Status.SUBMITTING or render.error or render.submitted_at is None:
        return False
    longest = timedelta(seconds=min(settings.REMOTION_START_TIMEOUT, render.function_timeout)) + START_MARGIN
    return timezone.now() - render.submitted_at < longest


def free_expired_keys(*, before: datetime | None = None) -> int:
    """Free the keys of ended renders that were created before then (seven days ago); return how many."""
    before = before or timezone.now() - IDEMPOTENCY_KEY_TTL
    expired = Render.objects.exclude(idempotency_key="").filter(created_at__lt=before, finished_at__isnull=False)
    return expired.update(idempotency_key="", idempotency_fingerprint="")
