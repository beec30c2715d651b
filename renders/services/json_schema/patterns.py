"""Regular expressions of schemas: staff write them, and what is sent is matched with them.

RE2 matches in time that grows linearly with the text and within bounded memory, so that no pattern
and no text can hang a request. It lacks look-ahead, look-behind and back-references, and repeats at most
1,000 times; a pattern with those is refused when its schema is saved.
"""

import re
from functools import lru_cache
from typing import Any

import re2

MAX_PATTERN_LENGTH = 1000
MEMORY = 1 << 20
"""Bytes that a compiled pattern and its search may take."""

ESCAPE = re.compile(r"\\(?:u\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4})|(.))", re.DOTALL)


class InvalidPattern(ValueError):
    """The regular expression cannot be used. ``str()`` is one sentence."""


def check_pattern(pattern: str) -> None:
    """Raise InvalidPattern if the regular expression cannot be matched."""
    if len(pattern) > MAX_PATTERN_LENGTH:
        raise InvalidPattern(f"A pattern has at most {MAX_PATTERN_LENGTH:,} characters.")
    try:
        _compiled(pattern)
    except re2.error as err:
        raise InvalidPattern(_sentence(pattern, err)) from err


def matches(pattern: str, text: str) -> bool:
    """Return whether the pattern is found in the text."""
    return _compiled(pattern).search(text) is not None


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MEMORY
    return re2.compile(ESCAPE.sub(_escape, pattern), options)


def _escape(match: re.Match[str]) -> str:
    r"""Return RE2's escape for JavaScript's ``\uXXXX`` and ``\u{X}``; any other as it is."""
    code = match[1] or match[2]
    return rf"\x{{{code}}}" if code else match[0]


def _sentence(pattern: str, err: Exception) -> str:
    reason = err.args[0] if err.args else ""
    said = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
    hint = ""
    if any(part in pattern for part in ("(?=", "(?!", "(?<=", "(?<!")):
        hint = " Look-ahead and look-behind are not taken, because they can take for ever to match."
    elif "repetition" in said:
        hint = " Use minLength and maxLength for more than 1,000 characters."
    return f"This pattern cannot be used ({said}).{hint}"
