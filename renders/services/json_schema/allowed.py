"""Which JSON Schemas a template may have (draft 2020-12), checked when one is saved.

A schema stands for itself: ``$ref`` leads to a place inside it, and nothing is ever fetched. What
would make validation endless is refused here; what depends on the value too is limited in ``validator``.
"""

import json
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, cast
from urllib.parse import unquote

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import best_match

from renders.services.json_schema.patterns import InvalidPattern, check_pattern
from renders.services.json_schema.values import shortened

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MAX_LENGTH = 100_000
MAX_DEPTH = 50
MAX_SENTENCE_LENGTH = 300

ONE = ("additionalProperties", "items", "contains", "propertyNames", "not", "if", "then", "else",
       "unevaluatedItems", "unevaluatedProperties", "contentSchema")  # fmt: skip
LIST = ("allOf", "anyOf", "oneOf", "prefixItems")
NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
SAME_VALUE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas")
"""Keywords whose schemas are about the same value as the schema that has them, as that of a $ref is."""

ENDLESS = "It refers to itself without going into a prop or an item, so checking it would never end."

REFUSED = {
    "$id": "Only the schema itself may have an $id: a $ref leads to a place in it, such as #/$defs/scene.",
    "$schema": "Only the schema itself may say its $schema.",
    "$anchor": "Use $ref with a place such as #/$defs/scene in place of an $anchor.",
    "$dynamicAnchor": "Use $ref with a place such as #/$defs/scene in place of a $dynamicAnchor.",
    "$dynamicRef": "Use $ref with a place such as #/$defs/scene in place of a $dynamicRef.",
    "$recursiveRef": "Use $ref with a place such as #/$defs/scene in place of a $recursiveRef.",
}
ALLOWED_AT_THE_ROOT = ("$id", "$schema")

Path = tuple[str | int, ...]


class InvalidSchema(ValueError):
    """The schema cannot be used. ``str()`` is one sentence with the place in the schema."""

    def __init__(self, sentence: str, path: Path = ()) -> None:
        place = ".".join(map(str, path))
        super().__init__(shortened(f"{place}: {sentence}" if place else sentence, limit=MAX_SENTENCE_LENGTH))


def check_schema(schema: Any) -> None:
    """Raise InvalidSchema unless this is a schema that a template may have."""
    if not isinstance(schema, dict):
        raise InvalidSchema('A schema is an object, such as {"type": "object", "properties": {…}}.')
    _check_size(schema)
    if str(schema.get("$schema", DIALECT)).rstrip("#") != DIALECT:
        raise InvalidSchema(f"Only draft 2020-12 is taken: set it to {DIALECT}, or leave it out.", ("$schema",))
    if error := best_match(Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(schema)):
        raise InvalidSchema(_sentence(error), tuple(error.absolute_path))
    schemas = dict(_subschemas(schema))
    for path, subschema in schemas.items():
        _check_keywords(subschema, path)
    names = {name for subschema in schemas.values() for name in subschema}
    if names >= {"patternProperties", "unevaluatedProperties"}:
        # The library matches the patterns again for these, with Python's own regular expressions.
        raise InvalidSchema("Use additionalProperties: unevaluatedProperties does not go with patternProperties.")
    _check_references(schemas)


def _check_size(schema: dict[str, Any]) -> None:
    try:
        length = len(json.dumps(schema, ensure_ascii=False))
    except RecursionError:
        length = MAX_LENGTH + 1
    if length > MAX_LENGTH:
        raise InvalidSchema(f"A schema has at most {MAX_LENGTH:,} characters as JSON.")
    if _depth(schema) > MAX_DEPTH:
        raise InvalidSchema(f"A schema is nested at most {MAX_DEPTH} levels deep: use $defs and $ref.")


def _depth(value: Any) -> int:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, items), default=0)


def _sentence(error: ValidationError) -> str:
    if error.validator == "anyOf" and error.path and error.path[-1] == "type":
        return f"{_json(error.instance)} is not a type: use string, number, integer, boolean, array, object or null."
    if error.validator == "type":
        types = [error.validator_value] if isinstance(error.validator_value, str) else error.validator_value
        return f"{_json(error.instance)} is not of the type {' or '.join(cast('list[str]', types))}."
    return f"{shortened(error.message, limit=200)}."


def _json(value: Any) -> str:
    return shortened(json.dumps(value, ensure_ascii=False))


def _subschemas(schema: Any, path: Path = ()) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield each schema in a schema with its place. Data in it (const, enum, default, examples) is none."""
    yield path, schema
    for place, inner in _children(schema):
        yield from _subschemas(inner, (*path, *place))


def _children(schema: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    places: list[tuple[Path, Any]] = [((keyword,), schema.get(keyword)) for keyword in ONE]
    for keyword in LIST:
        places += [((keyword, index), item) for index, item in enumerate(schema.get(keyword, ()))]
    for keyword in NAMED:
        places += [((keyword, name), item) for name, item in schema.get(keyword, {}).items()]
    return ((place, inner) for place, inner in places if isinstance(inner, dict))


def _check_keywords(schema: dict[str, Any], path: Path) -> None:
    for name, sentence in REFUSED.items():
        if name in schema and not (name in ALLOWED_AT_THE_ROOT and not path):
            raise InvalidSchema(sentence, (*path, name))
    patterns = {pattern: (*path, "patternProperties", pattern) for pattern in schema.get("patternProperties", ())}
    if "pattern" in schema:
        patterns[schema["pattern"]] = (*path, "pattern")
    for pattern, place in patterns.items():
        try:
            check_pattern(pattern)
        except InvalidPattern as err:
            raise InvalidSchema(str(err), place) from err


def _check_references(schemas: Mapping[Path, dict[str, Any]]) -> None:
    """Raise InvalidSchema for a reference that leads nowhere, or back to itself on the same value."""
    place_of: dict[tuple[str, ...] | None, Path] = {tuple(map(str, path)): path for path in schemas}
    same_value: dict[Path, list[Path]] = {}
    for path, schema in schemas.items():
        same_value[path] = [(*path, *place) for place, _ in _children(schema) if place[0] in SAME_VALUE]
        if "$ref" not in schema:
            continue
        target = place_of.get(_names(schema["$ref"]))
        if target is None:
            sentence = f"{_json(schema['$ref'])} is no schema in this one: a $ref is such as #/$defs/scene."
            raise InvalidSchema(sentence, (*path, "$ref"))
        same_value[path].append(target)
    try:
        TopologicalSorter(same_value).prepare()
    except CycleError as err:
        raise InvalidSchema(ENDLESS, err.args[1][0]) from err


def find_subschema(schema: dict[str, Any], reference: str) -> dict[str, Any]:
    """Return the schema that a ``$ref`` in a checked schema leads to."""
    names = _names(reference)
    return next(found for path, found in _subschemas(schema) if tuple(map(str, path)) == names)


def _names(reference: str) -> tuple[str, ...] | None:
    """Return the place that a reference into the same schema names, or None. RFC 6901, section 6."""
    if reference == "#":
        return ()
    if not reference.startswith("#/"):
        return None
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in unquote(reference[2:]).split("/"))
