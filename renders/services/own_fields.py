"""Fields with which owners mark their renders: their limits."""

from typing import Any

MAX_PAIRS = 20
MAX_KEY, MAX_VALUE = 40, 500
MAX_EXTERNAL_ID = 255


def metadata_problem(value: Any) -> str:
    """Return in one sentence why this cannot be the metadata of a render; empty if it can."""
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        return 'Send an object of strings, for example {"shop": "berlin"}.'
    if len(value) > MAX_PAIRS:
        return f"It has {len(value):,} pairs; at most {MAX_PAIRS} are taken."
    if any(not 1 <= len(key) <= MAX_KEY or ":" in key for key in value):
        return f"A key has 1 to {MAX_KEY} characters and no colon."
    if any(len(text) > MAX_VALUE for text in value.values()):
        return f"Send strings of at most {MAX_VALUE} characters."
    return ""
