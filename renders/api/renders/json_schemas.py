"""JSON Schemas of the parts of a render that no serializer describes."""

from typing import Any

TEXT: dict[str, Any] = {"type": "string"}
MAYBE_TEXT: dict[str, Any] = {"type": ["string", "null"]}
MAYBE_NUMBER: dict[str, Any] = {"type": ["integer", "null"]}
MAYBE_BOOLEAN: dict[str, Any] = {"type": ["boolean", "null"]}

REMOTION_ERRORS: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "type": MAYBE_TEXT,
            "name": MAYBE_TEXT,
            "message": MAYBE_TEXT,
            "explanation": MAYBE_TEXT,
            "chunk": MAYBE_NUMBER,
            "frame": MAYBE_NUMBER,
            "attempt": MAYBE_NUMBER,
            "isFatal": MAYBE_BOOLEAN,
            "willRetry": MAYBE_BOOLEAN,
        },
    },
}
"""Of a render that succeeded, they are its warnings."""

POSTER: dict[str, Any] = {
    "type": ["object", "null"],
    "properties": {"id": {"type": "string", "format": "uuid"}, "status": TEXT, "error": TEXT},
    "required": ["id", "status", "error"],
}

ARTIFACTS: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"name": TEXT, "size": {"type": "integer"}, "url": MAYBE_TEXT},
        "required": ["name", "size", "url"],
    },
}
