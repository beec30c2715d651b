"""Which form field says a value of a JSON Schema, and where only JSON can."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.text import capfirst

from renders.services.json_schema.allowed import find_subschema
from renders.services.json_schema.values import counted

MAX_REFERENCES = 10
MAX_CHOICES = 200
LONGEST_LINE = 200
TYPES = ("string", "number", "integer", "boolean", "object")
COMBINED = ("anyOf", "oneOf", "allOf", "not", "if", "patternProperties")
MISSING: Any = object()
"""There is no value."""


@dataclass(frozen=True)
class PropSchema:
    """What a form needs to know of the schema of one prop."""

    kind: str
    """``string``, ``number``, ``boolean``, ``choice``, ``object`` or ``json``."""
    schema: Mapping[str, Any]
    is_nullable: bool = False
    choices: list[Any] = field(default_factory=list)

    @property
    def properties(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.schema.get("properties", {})
        return found

    @property
    def is_line(self) -> bool:
        """Whether a string of it is short, and on one line."""
        limit = self.schema.get("maxLength")
        return "format" in self.schema or "pattern" in self.schema or (limit is not None and limit <= LONGEST_LINE)

    @property
    def required(self) -> list[str]:
        return list(self.schema.get("required", ()))

    def title(self, name: str) -> str:
        title = self.schema.get("title")
        return capfirst(title) if isinstance(title, str) and title.strip() else name

    def help_text(self, name: str) -> str:
        """Return what the author says of the prop, the limits of its value, and its name where the title differs."""
        description = self.schema.get("description")
        said = description.strip() if isinstance(description, str) else ""
        if said and said[-1] not in ".!?…":
            said += "."
        in_code = f"In the input props: {name}." if self.title(name) != name else ""
        return " ".join(filter(None, (said, _limits(self.schema), in_code)))


def read_schema(schema: Any, root: dict[str, Any], value: Any) -> PropSchema:
    """Return which field says the values of a checked schema, among them ``value``, if it is not MISSING."""
    schema, is_nullable = _resolved(schema, root)
    types = schema.get("type", ())
    types = [types] if isinstance(types, str) else list(types)
    is_nullable = is_nullable or "null" in types
    types = [name for name in types if name != "null"]
    choices = _choices(schema)
    if choices and (value is MISSING or value is None or any(_same(value, choice) for choice in choices)):
        return PropSchema(
            "choice", schema, is_nullable, [*choices, *([None] if _adds_null(choices, is_nullable) else [])]
        )
    if choices or len(types) != 1 or types[0] not in TYPES:
        return PropSchema("json", schema, is_nullable)
    kind = {"integer": "number"}.get(types[0], types[0])
    if kind == "object":
        is_known = value is MISSING or (isinstance(value, dict) and set(value) <= set(schema.get("properties", ())))
        if is_nullable or not is_known or not schema.get("properties") or any(name in schema for name in COMBINED):
            kind = "json"
    elif not (value is MISSING or (value is None and is_nullable) or _is_of(kind, value)):
        kind = "json"
    return PropSchema(kind, schema, is_nullable)


def _resolved(schema: Any, root: dict[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """Follow references, and take "this schema or null" for this schema. Return it, and whether null is taken."""
    is_nullable = False
    for _ in range(MAX_REFERENCES):
        if not isinstance(schema, dict):
            return {}, is_nullable
        if "$ref" in schema:
            own = {name: value for name, value in schema.items() if name != "$ref"}
            schema = {**find_subschema(root, schema["$ref"]), **own}
            continue
        word = next((word for word in ("anyOf", "oneOf") if word in schema), None)
        others = [branch for branch in schema[word] if branch != {"type": "null"}] if word else []
        if word is None or len(others) != 1 or len(schema[word]) != 2 or not isinstance(others[0], dict):
            return schema, is_nullable
        own = {name: value for name, value in schema.items() if name != word}
        schema, is_nullable = {**others[0], **own}, True
    return {}, is_nullable


def _choices(schema: Mapping[str, Any]) -> list[Any]:
    values = schema["enum"] if "enum" in schema else [schema["const"]] if "const" in schema else []
    is_short = len(values) <= MAX_CHOICES and not any(isinstance(value, list | dict) for value in values)
    return list(values) if is_short else []


def _adds_null(choices: list[Any], is_nullable: bool) -> bool:
    return is_nullable and None not in choices


def _same(value: Any, choice: Any) -> bool:
    return bool(value == choice) and isinstance(value, bool) == isinstance(choice, bool)


def _is_of(kind: str, value: Any) -> bool:
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, {"string": str, "boolean": bool}[kind])


def _limits(schema: Mapping[str, Any]) -> str:
    """Return the limits of a value in a sentence; empty without any."""
    low, high = _number(schema.get("minimum")), _number(schema.get("maximum"))
    above, below = _number(schema.get("exclusiveMinimum")), _number(schema.get("exclusiveMaximum"))
    if low and high:
        parts = [f"{low} to {high}"]
    else:
        limits = (("over", above), ("at least", low), ("at most", high), ("under", below))
        parts = [f"{words} {limit}" for words, limit in limits if limit]
    if schema.get("type") == "integer":
        parts.insert(0, "a whole number")
    if "maxLength" in schema:
        parts.append(f"at most {counted(int(schema['maxLength']), 'character')}")
    if isinstance(schema.get("format"), str):
        parts.append(f"format: {schema['format']}")
    return f"{capfirst(', '.join(parts))}." if parts else ""


def _number(limit: Any) -> str:
    return "" if limit is None else f"{limit:,}"


def same_choice(value: Any, choices: list[Any]) -> str:
    """Return the choice that is equal to the value, as the field has it; empty if there is none."""
    return next((json.dumps(choice) for choice in choices if _same(value, choice)), "")
