"""Whether those who follow events may still read them: keys are revoked, users deactivated, sessions ended."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db.models import Model, Q
from django.utils import timezone


@dataclass(frozen=True)
class Access:
    """With what a stream was opened."""

    user_id: int | None = None
    """None for an anonymous user."""

    key: tuple[type[Model], Any] | None = None
    """Model and primary key of an API key."""

    session_key: str | None = None
    needs_permission: bool = False
    """Whether it reads what is not the user's own."""


def lost_access(accesses: Iterable[Access]) -> set[Access]:
    """Return those that may not read on, by one query for each kind of credentials, and some for each of the staff."""
    known = set(accesses)
    users = _active_users(known)
    permitted = _permitted_users(known)
    keys = {key for model, found in _by_model(known).items() for key in _valid_keys(model, found)}
    sessions = _valid_sessions(known)
    return {
        access
        for access in known
        if (access.user_id is not None and access.user_id not in users)
        or (access.needs_permission and access.user_id not in permitted)
        or (access.key and access.key not in keys)
        or (access.session_key and access.session_key not in sessions)
    }


def _active_users(accesses: set[Access]) -> set[int]:
    ids = {access.user_id for access in accesses if access.user_id is not None}
    return set(User.objects.filter(pk__in=ids, is_active=True).values_list("pk", flat=True)) if ids else set()


def _permitted_users(accesses: set[Access]) -> set[int]:
    # Permissions are asked user by user: few have any.
    ids = {access.user_id for access in accesses if access.needs_permission and access.user_id is not None}
    users = User.objects.filter(pk__in=ids) if ids else User.objects.none()
    return {user.pk for user in users if user.has_perm("renders.view_render")}


def _by_model(accesses: set[Access]) -> dict[type[Model], set[Any]]:
    keys: dict[type[Model], set[Any]] = defaultdict(set)
    for access in accesses:
        if access.key:
            keys[access.key[0]].add(access.key[1])
    return keys


def _valid_keys(model: type[Model], keys: set[Any]) -> set[tuple[type[Model], Any]]:
    rows = model._default_manager.filter(pk__in=keys)
    if any(field.name == "expiry" for field in model._meta.fields):
        rows = rows.filter(Q(expiry=None) | Q(expiry__gt=timezone.now()))
    return {(model, key) for key in rows.values_list("pk", flat=True)}


def _valid_sessions(accesses: set[Access]) -> set[str]:
    keys = {access.session_key for access in accesses if access.session_key}
    if not keys:
        return set()
    return set(
        Session.objects.filter(pk__in=keys, expire_date__gt=timezone.now()).values_list("session_key", flat=True)
    )
