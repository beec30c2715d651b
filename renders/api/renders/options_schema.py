"""The JSON Schema of the options of a render, of the one table of options."""

from typing import Any

from renders.remotion.option import VIDEO, Option
from renders.remotion.option_table import OPTIONS


def _described(option: Option) -> dict[str, Any]:
    codecs = f" Codecs: {', '.join(option.codecs)}." if VIDEO in option.kinds else ""
    described = f"{option.description} Of a {' or a '.join(option.kinds)}.{codecs}"
    return {**_without_false(option.schema), "description": described}


def _without_false(schema: Any) -> Any:
    """Return the schema with ``maxItems`` in place of ``"items": false``, which generators of clients cannot read."""
    if isinstance(schema, list):
        return [_without_false(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: _without_false(value) for name, value in schema.items() if (name, value) != ("items", False)}
    return inner if len(inner) == len(schema) else {**inner, "maxItems": len(schema["prefixItems"])}


def _properties() -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for option in OPTIONS:
        described = _described(option)
        if earlier := properties.get(option.name):  # it takes other values for the other kind
            described["enum"] = list(dict.fromkeys([*earlier["enum"], *described["enum"]]))
            described["description"] = f"{earlier['description']} {described['description']}"
        properties[option.name] = described
    return properties


OPTIONS_SCHEMA: dict[str, Any] = {"type": "object", "properties": _properties(), "additionalProperties": False}
