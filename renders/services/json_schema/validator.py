"""Validate a value against a schema: nothing is fetched, and the time it may take is limited.

A schema may refer to itself, and a request sends any value: together they can take exponential time. So
each keyword first looks at the time that this validation has used.
"""

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from itertools import islice
from time import thread_time
from typing import Any

from jsonschema import Draft202012Validator, ValidationError, validators
from referencing import Registry

from renders.services.json_schema.keywords import KEYWORDS, NOT_TAKEN, Keyword

SECONDS = 2.0
"""CPU time of this thread for one validation."""
MAX_ERRORS = 20
NOT_TAKEN_IN = {
    "unevaluatedProperties": "It has props that the schema does not take.",
    "unevaluatedItems": "It has items that the schema does not take.",
    "contains": "It lacks an item that the schema asks for.",
    "minContains": "It lacks items that the schema asks for.",
    "maxContains": "It has too many items of one kind.",
}
"""For the keywords whose message would repeat the value."""

_time_is_up_at: ContextVar[float] = ContextVar("time_is_up_at")


class CannotValidate(Exception):
    """The value or its schema is too large, or too deep, to be checked."""


def find_errors(schema: Mapping[str, Any], value: Any) -> list[tuple[tuple[str | int, ...], str]]:
    """Return the path and a sentence for each of the first errors. Raise CannotValidate."""
    token = _time_is_up_at.set(thread_time() + SECONDS)
    # Without the root's $id, so that "#" in a reference is this schema.
    local = {name: item for name, item in schema.items() if name != "$id"}
    try:
        errors: Iterator[ValidationError] = _Validator(local, registry=Registry()).iter_errors(value)
        return [(tuple(error.path), _sentence(error)) for error in islice(errors, MAX_ERRORS)]
    except RecursionError as err:
        raise CannotValidate from err
    finally:
        _time_is_up_at.reset(token)


def _sentence(error: ValidationError) -> str:
    if error.validator is None:
        return NOT_TAKEN  # the schema is ``false``
    return NOT_TAKEN_IN.get(str(error.validator), error.message)


def _limited(keyword: Callable[..., Any]) -> Keyword:
    def limited(validator: Any, value: Any, instance: Any, schema: Any) -> Any:
        if thread_time() > _time_is_up_at.get():
            raise CannotValidate
        return keyword(validator, value, instance, schema)

    return limited


_keywords: dict[str, Any] = {**Draft202012Validator.VALIDATORS, **KEYWORDS}
_Validator: Any = validators.extend(
    Draft202012Validator, {name: _limited(keyword) for name, keyword in _keywords.items()}
)
