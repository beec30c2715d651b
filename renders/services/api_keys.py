"""API keys: create, find, revoke. Only a hash of each is stored."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone
from knox.crypto import hash_token

from renders.models import ApiKey, Quota

MAX_LIFETIME = timedelta(days=3650)
NOTED_EVERY = timedelta(minutes=1)
"""How exact ``last_used_at`` is: a busy key costs one UPDATE in this time."""


def create_api_key(
    *, user: Any, name: str, scopes: Sequence[str] = (), lifetime: timedelta | None = None
) -> tuple[ApiKey, str]:
    """Return a new key and its secret text, which cannot be had again. Without ``lifetime`` it never expires."""
    key: ApiKey
    key, secret = ApiKey.objects.create(user=user, name=name, scopes=list(scopes), expiry=lifetime)
    return key, secret


def find_key(secret: str) -> ApiKey | None:
    """Return the key with its user and ``requests_per_minute``, also one that does not work now. One query."""
    limit = Subquery(Quota.objects.requests_per_minute(OuterRef("user")))
    keys = ApiKey.objects.select_related("user").annotate(requests_per_minute=limit)
    return keys.filter(digest=hash_token(secret)).first()


def note_use(key: ApiKey) -> None:
    """Set ``last_used_at``, once a minute at most, also where several processes use the key at once."""
    now = timezone.now()
    if key.last_used_at and key.last_used_at > now - NOTED_EVERY:
        return
    not_noted = Q(last_used_at=None) | Q(last_used_at__lte=now - NOTED_EVERY)
    ApiKey.objects.filter(not_noted, pk=key.pk).update(last_used_at=now)


def revoke_key(key: ApiKey) -> None:
    """Delete the key: the next request with it is refused."""
    key.delete()
