"""Whose rows a list shows: your own, those of one owner, or for staff those of all."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from renders.api.auth import VIEW

OTHERS_FORBIDDEN = f"You need the permission {VIEW} to list what others have: leave out the parameter owner."


@dataclass(frozen=True)
class Owner:
    """One owner, by the primary key of their user; None owns what anonymous users made."""

    pk: Any


class OwnerField(serializers.CharField):
    """The parameter ``owner``: a username."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, help_text="A username; that of others takes a permission.", **options)


def own(request: Request) -> Owner:
    """Return whoever asks."""
    return Owner(request.user.pk)


def chosen_owner(view: Any, request: Request, username: str) -> Owner:
    """Return the owner that the parameter ``owner`` names. Raise PermissionDenied or ValidationError."""
    if username == request.user.get_username():
        return own(request)
    if not request.user.has_perm(VIEW):
        view.permission_denied(request, message=OTHERS_FORBIDDEN)
    users = get_user_model()._default_manager.filter(**{get_user_model().USERNAME_FIELD: username})
    pk = users.values_list("pk", flat=True).first()
    if pk is None:
        raise ValidationError({"owner": ["There is no user of this name."]})
    return Owner(pk)
