"""What an API key is limited to."""

from typing import Any

from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from renders.api.actions import action_of
from renders.models import ApiKey

ANY_KEY = ""
"""In ``required_scopes``: every key may, whatever its scopes."""


class ScopeMissing(PermissionDenied):
    """The key has scopes, and not the one that this request needs."""


def require_scope(request: Request, view: Any) -> None:
    """Raise ScopeMissing if the request came with a key whose scopes do not allow it.

    A view declares ``required_scopes`` by action. An action without one needs a key without scopes.
    """
    key, action = request.auth, action_of(view, request)
    if not isinstance(key, ApiKey) or not key.scopes or not action:
        return
    needed = getattr(view, "required_scopes", {}).get(action)
    if needed is None:
        raise ScopeMissing("This API key is limited to its scopes, and no scope allows this: use a key without scopes.")
    if needed != ANY_KEY and needed not in key.scopes:
        raise ScopeMissing(f"This API key lacks the scope {needed}: use a key that has it, or one without scopes.")


def require_own_or_unlimited_key(request: Request, key: ApiKey) -> None:
    """Raise ScopeMissing if the request came with a key that has scopes, unless it is this one."""
    sent = request.auth
    if isinstance(sent, ApiKey) and sent.scopes and sent != key:
        raise ScopeMissing("An API key with scopes can revoke only itself: use a key without scopes, or a session.")
