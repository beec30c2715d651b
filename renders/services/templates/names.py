"""The names that a sync gives templates."""

import re
from collections.abc import Container
from hashlib import sha256
from urllib.parse import urlsplit

from django.utils.text import slugify

MAX_NAME_LENGTH = 100


def free_name(composition: str, *, site: str, taken: Container[str]) -> str:
    """Return the composition's id as a slug; with the site's name before it where that is taken.

    An id without a Latin letter or digit, and one that is taken with the site's name too, gets six
    digits of its hash, so that every sync finds the same name.
    """
    digest = sha256(f"{site}\n{composition}".encode()).hexdigest()[:6]
    own = slugify(composition) or f"composition-{digest}"
    names = (own, "-".join(filter(None, (site_slug(site), own))), f"{own[: MAX_NAME_LENGTH - 7]}-{digest}")
    return next(name for name in (name[:MAX_NAME_LENGTH] for name in names) if name not in taken or name == names[-1])


def site_slug(site: str) -> str:
    """Return what to call a site: its name, that in the URL of Remotion's bucket, or the URL's host."""
    url = urlsplit(site)
    if not url.scheme:
        return slugify(site)
    if in_bucket := re.search(r"/sites/([^/]+)/", url.path):
        return slugify(in_bucket[1])
    return slugify((url.hostname or "").replace(".", "-"))
