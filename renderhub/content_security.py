"""What pages may load, and from where: the Content-Security-Policy that django-csp sends."""

from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE

S3 = ("https://*.amazonaws.com", "https://*.amazonaws.com.cn")
"""Where outputs are: ``<bucket>.s3.<region>.amazonaws.com``, or without the bucket if its name has a dot."""


def content_security_policy(*, s3_endpoint: str) -> dict[str, Any]:
    """Return the policy: all is from this host, but pictures and media may be outputs on S3.

    ``s3_endpoint`` is the URL of what stands in for S3, or empty.
    """
    outputs = [*S3, *([_origin(s3_endpoint)] if s3_endpoint else [])]
    return {
        "DIRECTIVES": {
            "default-src": [SELF],
            # Alpine, with which the admin's theme opens menus and dialogs, makes functions of its attributes.
            "script-src": [SELF, UNSAFE_EVAL],
            "style-src": [SELF, UNSAFE_INLINE],
            "img-src": [SELF, "data:", *outputs],
            "media-src": [SELF, *outputs],
            "font-src": [SELF, "data:"],
            # The search of /api/redoc/ runs in a worker that it makes of its own script.
            "worker-src": [SELF, "blob:"],
            "object-src": [NONE],
            "base-uri": [SELF],
            "form-action": [SELF],
            "frame-ancestors": [NONE],
        }
    }


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
