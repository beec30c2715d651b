"""Bytes of a request → JSON that a database, S3 and JavaScript can all hold."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

MAX_DEPTH = 100
TOO_DEEP = f"The JSON is nested deeper than {MAX_DEPTH} levels."


class BodyTooLarge(APIException):
    status_code = 413


class StrictJSONParser(BaseParser):
    """A JSON object as RFC 8259 has it: UTF-8, no NaN or Infinity, and no text that is not Unicode."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLarge(f"The request's body is over {limit:,} bytes. Send less in inputProps.")
        try:
            value = json.loads(body.decode(), parse_constant=_refuse_constant, parse_float=_finite_float)
            _check(value)
        except RecursionError as err:
            raise ParseError(TOO_DEEP) from err
        except ValueError as err:
            raise ParseError(f"The request's body is not JSON that can be used: {err}.") from err
        if not isinstance(value, dict):
            raise ParseError('Send a JSON object, for example {"inputProps": {…}}.')
        return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON")


def _finite_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large a number")
    return number


def _check(value: Any, depth: int = 0) -> None:
    """Refuses what cannot be stored: U+0000, halves of surrogate pairs, endless nesting."""
    if depth > MAX_DEPTH:
        raise ParseError(TOO_DEEP)
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("it has text with the character U+0000")
        try:
            value.encode()
        except UnicodeEncodeError as err:
            raise ValueError("it has text with half of a surrogate pair") from err
    elif isinstance(value, dict):
        for key, item in value.items():
            _check(key, depth + 1)
            _check(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)
