"""A hash by which equal requests are recognised."""

import hashlib
import json
from typing import Any


def fingerprint(*parts: Any) -> str:
    """Return a hash of JSON values, 64 hexadecimal digits, that is equal for equal ones whatever the order of keys."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
