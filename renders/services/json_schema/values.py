"""How JSON values are compared, and written in sentences: short, and never a whole input."""

import json
from collections.abc import Iterable
from typing import Any

MAX_SHOWN = 60
MAX_LISTED = 12

TYPES = {
    "string": "a string",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def shortened(text: str, *, limit: int = MAX_SHOWN) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def shown(value: Any) -> str:
    """Return a value as JSON, shortened; a list or an object by its kind only."""
    if isinstance(value, list | dict):
        return "this list" if isinstance(value, list) else "this object"
    return shortened(json.dumps(value, ensure_ascii=False))


def listed(words: Iterable[str], *, last: str = "") -> str:
    """Return the words with commas between them, or ``last`` (`` or``) before the last one."""
    words = list(words)
    if len(words) > MAX_LISTED:
        return f"{', '.join(words[:MAX_LISTED])} …"
    if last and len(words) > 1:
        return f"{', '.join(words[:-1])}{last} {words[-1]}"
    return ", ".join(words)


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def canonical(value: Any) -> str:
    """Return a text that is equal for values that JSON Schema holds to be equal."""
    return json.dumps(_normalised(value), sort_keys=True)


def _normalised(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_normalised(item) for item in value]
    if isinstance(value, dict):
        return {name: _normalised(item) for name, item in value.items()}
    return value
