"""The one reader of JSON from outside: strict, and only values that every database can store."""

import json
import math
from typing import Any

MAX_DEPTH = 100
MAX_DIGITS = 4300
"""Of a whole number: Python reads no longer ones."""


class TooDeep(ValueError):
    """The value is nested deeper than ``MAX_DEPTH``."""


def parse_json(body: bytes, *, replace: bool) -> Any:
    """Parse UTF-8 JSON as RFC 8259 defines it: no NaN, no Infinity, no number beyond a double.

    Text that PostgreSQL cannot store (U+0000, halves of surrogate pairs) is replaced if ``replace``,
    else refused, and so is nesting deeper than ``MAX_DEPTH``. Raise ValueError with the reason.
    """
    try:
        value = _DECODER.decode(body.decode())
        if replace:
            return _replaced(value) if b"\\u" in body else value  # only an escape can name such text
        _check(value)
    except RecursionError as err:
        raise TooDeep(f"it is nested deeper than {MAX_DEPTH} levels") from err
    return value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a number that can be stored")
    return number


def _whole(text: str) -> int:
    if (digits := len(text.removeprefix("-"))) > MAX_DIGITS:
        raise ValueError(f"a number of {digits:,} digits is not one that can be stored")
    return int(text)


_DECODER = json.JSONDecoder(parse_constant=_finite, parse_float=_finite, parse_int=_whole)


def _replaced(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode(errors="replace").decode()
    if isinstance(value, list):
        return [_replaced(item) for item in value]
    if isinstance(value, dict):
        return {_replaced(key): _replaced(item) for key, item in value.items()}
    return value


def _check(value: Any, depth: int = 0) -> None:
    if depth > MAX_DEPTH:
        raise TooDeep(f"it is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_text(key)
            _check(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)


def _check_text(text: str) -> None:
    if "\0" in text:
        raise ValueError("it has text with the character U+0000")
    try:
        text.encode()
    except UnicodeEncodeError as err:
        raise ValueError("it has text with half of a surrogate pair") from err
