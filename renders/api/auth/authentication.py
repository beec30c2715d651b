"""Who sends a request: a program with an API key, or a browser with a session."""

from typing import Any

from django.conf import settings
from django.utils import timezone
from knox.auth import TokenAuthentication
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from renders.models import ApiKey
from renders.services.api_keys import find_key, note_use

HOW = "send `Authorization: Bearer <your API key>`."
UNREADABLE_HEADER = f"The header `Authorization` cannot be read: {HOW}"
UNKNOWN_KEY = f"There is no active user with this API key: {HOW}"
CSRF_FAILED = "Send the cookie `csrftoken` as the header `X-CSRFToken` too, or use an API key instead of a session."


class ApiKeyAuthentication(TokenAuthentication):
    """Knox's, with one query, and nothing is deleted; a header that it cannot read never counts as no header."""

    def authenticate(self, request: Request) -> tuple[Any, ApiKey] | None:
        if "HTTP_AUTHORIZATION" not in request.META:
            return None
        if len(authentication.get_authorization_header(request).split()) != 2:
            raise AuthenticationFailed(UNREADABLE_HEADER)
        user_and_key: tuple[Any, ApiKey] | None = super().authenticate(request)
        if user_and_key is None:
            raise AuthenticationFailed(UNREADABLE_HEADER)
        return user_and_key

    def authenticate_credentials(self, token: bytes) -> tuple[Any, ApiKey]:
        if not token.isascii() or not token.decode("ascii").isprintable():
            raise AuthenticationFailed(UNREADABLE_HEADER)
        key = find_key(token.decode("ascii"))
        if key is None or not key.user.is_active:
            raise AuthenticationFailed(UNKNOWN_KEY)
        if key.expiry and key.expiry <= timezone.now():
            raise AuthenticationFailed(f"This API key expired on {key.expiry:%Y-%m-%d at %H:%M} UTC: use another one.")
        note_use(key)
        return key.user, key


class SessionAuthentication(authentication.SessionAuthentication):
    """DRF's, with a message that says how to send the CSRF token."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        if "\0" in request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""):
            return None  # no session has such a key, and PostgreSQL cannot look for it
        return super().authenticate(request)

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except PermissionDenied as err:
            raise PermissionDenied(f"{err.detail} {CSRF_FAILED}") from err
