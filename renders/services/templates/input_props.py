"""Check the input props of a request against its template's schema."""

from collections.abc import Mapping
from typing import Any

from renders.models import Template
from renders.services.errors import InvalidInputProps
from renders.services.json_schema.validator import CannotValidate, find_errors
from renders.services.json_schema.values import shortened

ROOT = "inputProps"
MAX_SENTENCE_LENGTH = 400
MAX_PATH_LENGTH = 200
TOO_MUCH = "It is too large, or nested too deep, to be checked against the schema of this template: send less."


def validate_input_props(template: Template, input_props: Mapping[str, Any]) -> dict[str, Any]:
    """Return the template's default input props with those of the request in place of them, prop by prop.

    The result is what the schema checks, unless there is none or it is a draft. Raise InvalidInputProps.
    """
    merged = {**template.default_input_props, **input_props}
    if template.input_schema is None or template.input_schema_is_draft:
        return merged
    if errors := input_props_errors(template.input_schema, merged):
        raise InvalidInputProps(errors)
    return merged


def input_props_errors(schema: Mapping[str, Any], input_props: Mapping[str, Any]) -> dict[str, str]:
    """Return a sentence for each path, such as ``inputProps.scenes[2].title``, of the first errors."""
    try:
        found = find_errors(schema, input_props)
    except CannotValidate:
        return {ROOT: TOO_MUCH}
    errors: dict[str, str] = {}
    for path, sentence in found:
        errors.setdefault(json_path(path), shortened(sentence, limit=MAX_SENTENCE_LENGTH))
    return errors


def json_path(path: tuple[str | int, ...]) -> str:
    """Return a path as JavaScript writes it."""
    text = ROOT
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.isidentifier():
            text += f".{part}"
        else:
            text += f'["{part}"]'
    return shortened(text, limit=MAX_PATH_LENGTH)
