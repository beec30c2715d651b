"""An example request for a template, made of its defaults and of what its schema says."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from renders.models import Render, Template
from renders.services.json_schema.allowed import find_subschema
from renders.services.templates.draft import LENGTH_PROP
from renders.services.templates.input_props import input_props_errors

MAX_PROP_LENGTH = 1000
MAX_LENGTH = 4000
"""Characters of JSON of one prop, and of all: what has a default is left out above them."""
EXAMPLE_LENGTH = 150
MAX_LEVELS = 8
NOTHING = object()

FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "email": "ada@example.com",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "uuid": "3127bc58-700d-45f9-af1d-393bda70afe0",
}


def example_body(template: Template) -> dict[str, Any]:
    """Return a body for ``POST /api/renders/`` that this template takes.

    It shows the props that have a default, and those that are required. What only a person can invent, such
    as text of a certain pattern, is taken from the schema's ``examples`` and ``default``; without them the
    example may need a correction.
    """
    body = {"template": template.name, "inputProps": _example_props(template)}
    # A <Still> is a composition of one frame.
    return {**body, "kind": Render.Kind.STILL.value} if template.duration_in_frames == 1 else body


def _example_props(template: Template) -> dict[str, Any]:
    candidates = list(_candidates(template))
    if template.input_schema is None or template.input_schema_is_draft:
        return candidates[0]
    defaults = template.default_input_props
    fitting = (props for props in candidates if not input_props_errors(template.input_schema, {**defaults, **props}))
    return next(fitting, candidates[0])


def _candidates(template: Template) -> Iterator[dict[str, Any]]:
    schema: dict[str, Any] = template.input_schema or {}
    required = _required_props(schema, template.default_input_props)
    if template.length == Template.Length.INPUT_PROPS and LENGTH_PROP not in template.default_input_props:
        required.setdefault(LENGTH_PROP, EXAMPLE_LENGTH)
    shown = _short(template.default_input_props)
    for given in schema.get("examples", ()):
        if isinstance(given, dict):
            yield {**shown, **given}
    yield {**shown, **required}
    yield required


def _short(props: Mapping[str, Any]) -> dict[str, Any]:
    """Return the props that are short enough to be shown."""
    shown: dict[str, Any] = {}
    length = 0
    for name, value in props.items():
        own_length = len(json.dumps({name: value}, ensure_ascii=False))
        if own_length <= MAX_PROP_LENGTH and length + own_length <= MAX_LENGTH:
            shown[name] = value
            length += own_length
    return shown


def _required_props(schema: dict[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    names = [name for name in schema.get("required", ()) if name not in defaults]
    properties = schema.get("properties", {})
    return {name: _sample(properties.get(name, {}), schema, levels=MAX_LEVELS) for name in names}


def _sample(schema: Any, root: dict[str, Any], *, levels: int) -> Any:
    """Return a value of the schema, or one of its type if no such value can be told."""
    if not isinstance(schema, dict) or levels == 0:
        return None
    if (given := _given(schema)) is not NOTHING:
        return given
    inner = [schema[name][0] for name in ("oneOf", "anyOf", "allOf") if name in schema]
    if "$ref" in schema:
        inner.append(find_subschema(root, schema["$ref"]))
    if inner and "type" not in schema:
        return _sample(inner[0], root, levels=levels - 1)
    types = schema.get("type", "string")
    return _of_type(types if isinstance(types, str) else types[0], schema, root, levels=levels - 1)


def _given(schema: Mapping[str, Any]) -> Any:
    """Return the value that the schema's author gives, or NOTHING."""
    for name in ("examples", "enum"):
        if schema.get(name):
            return schema[name][0]
    return schema.get("default", schema.get("const", NOTHING))


def _of_type(name: str, schema: Mapping[str, Any], root: dict[str, Any], *, levels: int) -> Any:
    if name == "object":
        properties = schema.get("properties", {})
        required = schema.get("required", ())
        return {name: _sample(properties.get(name, {}), root, levels=levels) for name in required}
    if name == "array":
        return [_sample(schema.get("items", {}), root, levels=levels)] * min(int(schema.get("minItems", 1)), 3)
    if name == "string":
        return FORMATS.get(schema.get("format", ""), "Text").ljust(min(int(schema.get("minLength", 0)), 100), "…")
    if name in ("number", "integer"):
        return schema.get("minimum", schema.get("maximum", 1))
    return name == "boolean" or None
