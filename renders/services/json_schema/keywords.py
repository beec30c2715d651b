"""The keywords of JSON Schema that say in a sentence for people what is wrong, and at which value.

They replace those of the library, whose messages repeat the whole value and whose patterns can hang.
An error's path is that of the value that must change: a prop that is missing, one that is unknown.
"""

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from fractions import Fraction
from itertools import islice
from typing import Any

from jsonschema import ValidationError

from renders.services.json_schema.alternatives import closest_errors
from renders.services.json_schema.patterns import matches
from renders.services.json_schema.values import TYPES, canonical, counted, listed, shortened, shown

Errors = Iterator[ValidationError]
Keyword = Callable[[Any, Any, Any, Any], Errors | None]

MAX_ERRORS_OF_BRANCH = 20
NOT_TAKEN = "It is not taken here."


def _type(validator: Any, types: Any, instance: Any, schema: Any) -> Errors:
    types = [types] if isinstance(types, str) else types
    if not any(validator.is_type(instance, name) for name in types):
        yield ValidationError(f"Send {listed((TYPES[name] for name in types), last=' or')}.")


def _enum(validator: Any, values: Any, instance: Any, schema: Any) -> Errors:
    if not any(_equal(instance, value) for value in values):
        last = "" if len(values) > 2 else " or"
        yield ValidationError(f"Send {'one of ' if len(values) > 1 else ''}{listed(map(shown, values), last=last)}.")


def _const(validator: Any, value: Any, instance: Any, schema: Any) -> Errors:
    if not _equal(instance, value):
        yield ValidationError(f"Send {shown(value)}.")


def _of_type(name: str, is_broken: Callable[[Any, Any], bool], sentence: Callable[[Any, Any], str]) -> Keyword:
    """Return a keyword that compares values of one type with its own value."""

    def keyword(validator: Any, limit: Any, instance: Any, schema: Any) -> Errors:
        if validator.is_type(instance, name) and is_broken(instance, limit):
            yield ValidationError(sentence(instance, limit))

    return keyword


def _too_few(noun: str) -> Callable[[Any, Any], str]:
    return lambda value, limit: f"Send at least {counted(int(limit), noun)}."


def _too_many(noun: str) -> Callable[[Any, Any], str]:
    return lambda value, limit: f"It has {counted(len(value), noun)}; at most {int(limit):,} are taken."


def _is_shorter(value: Any, limit: Any) -> bool:
    return len(value) < limit


def _is_longer(value: Any, limit: Any) -> bool:
    return len(value) > limit


def _is_no_multiple(value: Any, factor: Any) -> bool:
    return (Fraction(str(value)) / Fraction(str(factor))).denominator != 1


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Errors:
    if isinstance(instance, str) and not matches(pattern, instance):
        yield ValidationError(f"Send text that matches {shortened(pattern, limit=200)}{described(schema)}")


def _pattern_properties(validator: Any, schemas: Mapping[str, Any], instance: Any, schema: Any) -> Errors:
    if isinstance(instance, dict):
        for pattern, subschema in schemas.items():
            for name, value in instance.items():
                if matches(pattern, name):
                    yield from validator.descend(value, subschema, path=name, schema_path=pattern)


def _additional_properties(validator: Any, extra_schema: Any, instance: Any, schema: Any) -> Errors:
    if not isinstance(instance, dict):
        return
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for name in instance:
        if name in known or any(matches(pattern, name) for pattern in patterns):
            continue
        if extra_schema is False:
            yield ValidationError(_unknown(name, known), path=[name])
        else:
            yield from validator.descend(instance[name], extra_schema, path=name)


def _unknown(name: str, known: Mapping[str, Any]) -> str:
    near = get_close_matches(name[:100], list(known), n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    has = f" The props here are {listed(known)}." if known else ""
    return f"Unknown prop.{hint}{has}"


def _property_names(validator: Any, names_schema: Any, instance: Any, schema: Any) -> Errors:
    if isinstance(instance, dict):
        for name in instance:
            for error in islice(validator.descend(name, names_schema), 1):
                yield ValidationError(f"This name is not taken. {error.message}", path=[name])


def _properties(validator: Any, schemas: Mapping[str, Any], instance: Any, schema: Any) -> Errors:
    if isinstance(instance, dict):
        for name, subschema in schemas.items():
            if name in instance and subschema is False:
                yield ValidationError(NOT_TAKEN, path=[name])
            elif name in instance:
                yield from validator.descend(instance[name], subschema, path=name, schema_path=name)


def _required(validator: Any, names: list[str], instance: Any, schema: Any) -> Errors:
    if isinstance(instance, dict):
        for name in names:
            if name not in instance:
                subschema = schema.get("properties", {}).get(name)
                yield ValidationError(f"It is required{described(subschema)}", path=[name])


def _dependent_required(validator: Any, dependents: Mapping[str, list[str]], instance: Any, schema: Any) -> Errors:
    if isinstance(instance, dict):
        for present, names in dependents.items():
            for name in names:
                if present in instance and name not in instance:
                    yield ValidationError(f"It is required together with {shortened(present)}.", path=[name])


def _unique_items(validator: Any, is_unique: bool, instance: Any, schema: Any) -> Errors:
    if not is_unique or not isinstance(instance, list):
        return
    first_at: dict[str, int] = {}
    for index, item in enumerate(instance):
        first = first_at.setdefault(canonical(item), index)
        if first != index:
            yield ValidationError(f"Send each item once: items {first} and {index} are equal.")
            return


def _items(validator: Any, items: Any, instance: Any, schema: Any) -> Errors:
    if not isinstance(instance, list):
        return
    prefix = len(schema.get("prefixItems", ()))
    if items is False and len(instance) > prefix:
        yield ValidationError(f"Send at most {counted(prefix, 'item')}.")
        return
    for index in range(prefix, len(instance)):
        yield from validator.descend(instance[index], items, path=index)


def _not(validator: Any, refused: Any, instance: Any, schema: Any) -> Errors:
    if validator.evolve(schema=refused).is_valid(instance):
        yield ValidationError(f"This value is not taken{described(schema)}")


def _any_of(validator: Any, branches: list[Any], instance: Any, schema: Any) -> Errors:
    found = []
    for branch in branches:
        errors = list(islice(validator.descend(instance, branch), MAX_ERRORS_OF_BRANCH))
        if not errors:
            return
        found.append(errors)
    yield from closest_errors(found)


def _one_of(validator: Any, branches: list[Any], instance: Any, schema: Any) -> Errors:
    if sum(validator.evolve(schema=branch).is_valid(instance) for branch in branches) > 1:
        yield ValidationError("It fits several of the forms that the schema allows: send one that fits only one.")
    else:
        yield from _any_of(validator, branches, instance, schema)


def _equal(value: Any, other: Any) -> bool:
    if isinstance(value, list | dict) or isinstance(other, list | dict):
        return canonical(value) == canonical(other)
    return value == other and isinstance(value, bool) == isinstance(other, bool)


def described(schema: Any) -> str:
    """Return the end of a sentence about a value of this schema: what its author says it is."""
    description = schema.get("description") if isinstance(schema, dict) else None
    if not isinstance(description, str) or not description.strip():
        return "."
    text = shortened(" ".join(description.split()), limit=200)
    return f": {text}" if text[-1] in ".!?…" else f": {text}."


KEYWORDS: dict[str, Keyword] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "minLength": _of_type("string", _is_shorter, _too_few("character")),
    "maxLength": _of_type("string", _is_longer, _too_many("character")),
    "minItems": _of_type("array", _is_shorter, _too_few("item")),
    "maxItems": _of_type("array", _is_longer, _too_many("item")),
    "minProperties": _of_type("object", _is_shorter, _too_few("prop")),
    "maxProperties": _of_type("object", _is_longer, _too_many("prop")),
    "minimum": _of_type(
        "number", lambda value, limit: value < limit, lambda _, limit: f"Send at least {shown(limit)}."
    ),
    "maximum": _of_type("number", lambda value, limit: value > limit, lambda _, limit: f"Send at most {shown(limit)}."),
    "exclusiveMinimum": _of_type(
        "number", lambda value, limit: value <= limit, lambda _, limit: f"Send more than {shown(limit)}."
    ),
    "exclusiveMaximum": _of_type(
        "number", lambda value, limit: value >= limit, lambda _, limit: f"Send less than {shown(limit)}."
    ),
    "multipleOf": _of_type("number", _is_no_multiple, lambda _, factor: f"Send a multiple of {shown(factor)}."),
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "propertyNames": _property_names,
    "properties": _properties,
    "required": _required,
    "dependentRequired": _dependent_required,
    "uniqueItems": _unique_items,
    "items": _items,
    "not": _not,
    "anyOf": _any_of,
    "oneOf": _one_of,
}
