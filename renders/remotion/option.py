"""One option of a render: its name, the JSON Schema of its value, and where it applies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from renders.remotion.codecs import CODECS

VIDEO, STILL = "video", "still"


@dataclass(frozen=True)
class Option:
    """One option of a render, as a request names it."""

    name: str
    schema: Mapping[str, Any]
    """JSON Schema (draft 2020-12) of its value."""
    description: str
    send: str = ""
    """What to send instead of a wrong value, in one sentence; empty: the schema says it."""
    default: Any = None
    """What Remotion, or this service, does without it; None: there is no such value."""
    kinds: tuple[str, ...] = (VIDEO, STILL)
    codecs: tuple[str, ...] = tuple(CODECS)
    """For videos: the codecs that it goes with."""

    @property
    def sentence(self) -> str:
        """What to send, as a sentence."""
        return self.send or sentence_of(self.schema)


def sentence_of(schema: Mapping[str, Any]) -> str:
    """Return what to send where a value does not fit the schema."""
    if "enum" in schema:
        *others, last = (str(value) for value in schema["enum"])
        return f"Send {', '.join(others)} or {last}." if others else f"Send {last}."
    if schema["type"] == "boolean":
        return "Send true or false."
    if schema["type"] == "string":
        return f"Send a line of 1 to {schema['maxLength']} printable ASCII characters."
    whole = "whole " if schema["type"] == "integer" else ""
    return f"Send a {whole}number from {schema['minimum']:,} to {schema['maximum']:,}."


BOOLEAN = {"type": "boolean"}


def integer(minimum: int, maximum: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": minimum, "maximum": maximum}


def number(minimum: float, maximum: float) -> dict[str, Any]:
    return {"type": "number", "minimum": minimum, "maximum": maximum}


def one_of(values: Sequence[str]) -> dict[str, Any]:
    return {"type": "string", "enum": list(values)}
