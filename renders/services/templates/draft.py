"""Draft a JSON Schema from a composition's default input props, for staff to correct and confirm."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from renders.services.json_schema.allowed import DIALECT, InvalidSchema, check_schema

LENGTH_PROP = "durationInFrames"
MAX_LEVELS = (8, 4, 2, 1)
"""How deep a draft goes: the first depth at which it is small enough to be a schema."""
MAX_PROPS = 200
MAX_ITEMS = 100
"""Props of one object, and items of one list, that are looked at."""


def draft_schema(default_props: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema that takes the default props, and any others of the same types.

    Nothing is required, because a request may leave out what has a default, and further props are taken,
    because a composition has props without a default too. A number may be whole or not; only
    durationInFrames is known to be whole. A null tells nothing about the values that are meant.
    """
    head = {"$schema": DIALECT}
    for levels in MAX_LEVELS:
        schema = {**head, **_object(default_props, levels=levels)}
        try:
            check_schema(schema)
        except InvalidSchema:
            continue
        return schema
    return {**head, "type": "object"}


def _drafted(value: Any, *, levels: int) -> dict[str, Any]:
    if isinstance(value, dict):
        return _object(value, levels=levels)
    if isinstance(value, list):
        return _array(value, levels=levels)
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, int | float):
        return {"type": "number"}
    return {"type": "string"} if isinstance(value, str) else {}


def _object(value: Mapping[str, Any], *, levels: int) -> dict[str, Any]:
    if not value or levels == 0:
        return {"type": "object"}
    properties = {name: _drafted(item, levels=levels - 1) for name, item in islice(value.items(), MAX_PROPS)}
    if "type" in properties.get(LENGTH_PROP, {}):
        properties[LENGTH_PROP] = {"type": "integer", "minimum": 1}
    return {"type": "object", "properties": properties}


def _array(value: list[Any], *, levels: int) -> dict[str, Any]:
    items = _united(_drafted(item, levels=levels - 1) for item in value[:MAX_ITEMS]) if value and levels else {}
    return {"type": "array", "items": items} if items else {"type": "array"}


def _united(schemas: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return one schema that takes what each of them takes; {} where one takes anything."""
    different = list({repr(schema): schema for schema in schemas}.values())
    if len(different) == 1:
        return different[0]
    if not all("type" in schema for schema in different):
        return {}
    types = list(dict.fromkeys(schema["type"] for schema in different))
    if types == ["object"]:
        return _united_objects(different)
    return {"type": types[0] if len(types) == 1 else types}


def _united_objects(schemas: list[dict[str, Any]]) -> dict[str, Any]:
    names = dict.fromkeys(name for schema in schemas for name in schema.get("properties", {}))
    properties = {
        name: _united(schema["properties"][name] for schema in schemas if name in schema.get("properties", {}))
        for name in names
    }
    return {"type": "object", "properties": properties}
