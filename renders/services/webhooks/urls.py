"""Which URLs webhooks may be sent to, as far as the URL alone says."""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from renders.services.webhooks.addresses import is_public

MAX_URL_LENGTH = 2000
NO_URL = "Send a URL that begins with https://, for example https://example.com/webhooks."
UNUSABLE_URL = (
    "Write the URL with a host that can exist, in ASCII (xn--… for other letters in a host, %… in a path),"
    " and with no port or one from 1 to 65535."
)
NO_CREDENTIALS = "Leave out the user name and the password: a webhook is known by its signature."
NO_FRAGMENT = "Leave out what follows the #: it is never sent."
NOT_PUBLIC = "Send a URL on the public internet: this one is not."
TOO_LONG = f"Send a URL of at most {MAX_URL_LENGTH:,} characters."


def url_problem(url: str) -> str:
    """Return in one sentence why no webhook may be sent to the URL; empty if one may, as far as can be seen."""
    if len(url) > MAX_URL_LENGTH:
        return TOO_LONG
    parts = split(url)
    if parts is None:
        return UNUSABLE_URL if url.startswith(_prefixes()) else NO_URL
    if parts.username is not None or parts.password is not None:
        return NO_CREDENTIALS
    if parts.fragment:
        return NO_FRAGMENT
    return "" if settings.WEBHOOK_ALLOW_PRIVATE or _may_be_public(parts.hostname or "") else NOT_PUBLIC


def split(url: str) -> SplitResult | None:
    """Return the parts of a URL that can be sent to; None if it is none, or of a scheme that is not allowed."""
    if not re.fullmatch(r"[!-~]+", url):
        return None
    try:
        parts = urlsplit(url)
        is_usable = f"{parts.scheme}://" in _prefixes() and _is_host(parts.hostname or "") and parts.port != 0
    except ValueError:
        return None
    return parts if is_usable else None


def _prefixes() -> tuple[str, ...]:
    return ("https://", "http://") if settings.WEBHOOK_ALLOW_PRIVATE else ("https://",)


def _is_host(host: str) -> bool:
    """Return whether it may be an address, or a name whose parts have 1 to 63 characters."""
    if not re.fullmatch(r"[\w.:%-]+", host, re.ASCII):
        return False
    return ":" in host or all(1 <= len(part) <= 63 for part in host.removesuffix(".").split("."))


def _may_be_public(host: str) -> bool:
    """Return False for an address that is not public, and for names that never are. Names are resolved later."""
    try:
        return is_public(ipaddress.ip_address(host))
    except ValueError:
        name = host.rstrip(".")
        return name != "localhost" and not name.endswith((".localhost", ".local", ".internal"))
