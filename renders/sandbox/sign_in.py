"""A link that signs in once, on this machine only: the sandbox writes and prints it, its service opens it.

The link is good while its file exists, and using it deletes the file: of two requests at once, one deletes it.
django-sesame's tokens are signed instead: two requests at once could both use one, any other login of the user
would void it, and its authentication backend would have to be in the settings of every service.
"""

import hashlib
import ipaddress
import json
import os
import secrets
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model, login
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

USED = "The link that the sandbox printed signs in once, and this one was used, or is of an earlier start."


class Link(NamedTuple):
    """What a link leads to."""

    token_hash: str
    username: str
    page: str
    """A path of the service."""


def write_link(file: Path, *, username: str, page: str) -> str:
    """Store a new link, in place of an earlier one, and return its path in the service."""
    token = secrets.token_urlsafe(32)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        json.dump(Link(_hash(token), username, page)._asdict(), stream)
    return f"/sandbox/sign-in/{token}/"


def use_link(file: Path, token: str) -> Link | None:
    """Return what the link of this token leads to, and make it good for nothing; None if it is."""
    try:
        link = Link(**json.loads(file.read_text()))
        if not secrets.compare_digest(link.token_hash, _hash(token)):
            return None
        file.unlink()
    except (OSError, ValueError, TypeError):
        return None
    return link


@require_GET
@never_cache
def sign_in(request: HttpRequest, token: str) -> HttpResponseRedirect:
    """Sign in, and go to the page of the link. Anybody who is not on this machine gets a 404."""
    if not _is_loopback(request.META.get("REMOTE_ADDR", "")):
        raise Http404
    link = use_link(Path(settings.SANDBOX_SIGN_IN_FILE), token)
    user = _find_user(link.username) if link else None
    if link is None or user is None:
        messages.warning(request, USED)
        return HttpResponseRedirect(reverse("admin:index"))
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return HttpResponseRedirect(link.page)


def _find_user(username: str) -> Any:
    return get_user_model().objects.filter(username=username, is_active=True).first()


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
