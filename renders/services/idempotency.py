"""Idempotency keys: the same request, sent again, is the same render.

https://docs.stripe.com/api/idempotent_requests
"""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from renders.models import Render, RenderQuerySet
from renders.services.errors import KeyInUse, KeyReused

IDEMPOTENCY_KEY_TTL = timedelta(days=7)
"""Age after which the key of an ended render counts as new. An active render keeps its key, however old
it is: what may still run is not paid for twice."""

RESERVED_KEY_PREFIX = "→ "
"""Begins the keys that the service makes itself. A client's key is ASCII, so it cannot begin like this."""

START_MARGIN = timedelta(seconds=30)
"""How long after the start's time limit its outcome may still be stored."""

IN_USE = "The first request with this Idempotency-Key is still being answered: try again in a moment."


def with_same_key(render: Render) -> RenderQuerySet:
    """Return the stored render of the same owner and key, if there is one."""
    return Render.objects.with_key(render.idempotency_key, owner=render.owner)


def replayed(render: Render) -> Render:
    """Return the stored render that has the key of ``render``.

    Raise KeyReused if it was another request, KeyInUse if its start is still being answered.
    """
    first = with_same_key(render).first()
    if first is None:
        raise KeyInUse(IN_USE)
    if first.idempotency_fingerprint != render.idempotency_fingerprint:
        raise KeyReused(
            "This Idempotency-Key was used for another request: send a new one, or the same body to the same address."
        )
    if is_being_started(first):
        raise KeyInUse(IN_USE)
    return first


def is_being_started(render: Render) -> bool:
    """Return whether some process may still be waiting for the answer to this render's start."""
    if render.status != Render.Status.SUBMITTING or render.error or render.submitted_at is None:
        return False
    is_still = render.kind == Render.Kind.STILL  # its answer comes when it is rendered
    seconds = render.function_timeout if is_still else min(settings.REMOTION_START_TIMEOUT, render.function_timeout)
    longest = timedelta(seconds=seconds) + START_MARGIN
    return timezone.now() - render.submitted_at < longest


def free_expired_key(render: Render) -> None:
    """Free the key of ``render`` if it has expired; call it in the transaction that inserts ``render``.

    Of two such transactions at once, the unique constraint lets one insert its row.
    """
    _free_expired(with_same_key(render))


def free_expired_keys() -> int:
    """Free all keys that have expired, and return how many."""
    return _free_expired(Render.objects.with_any_key())


def _free_expired(renders: RenderQuerySet) -> int:
    expired = renders.filter(created_at__lt=timezone.now() - IDEMPOTENCY_KEY_TTL, finished_at__isnull=False)
    return expired.update(idempotency_key="", idempotency_fingerprint="")
