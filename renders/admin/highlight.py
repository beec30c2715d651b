"""Code and JSON with their syntax in colours, made here: the browser only gets classes, which ``page.css`` colours."""

import io
import re
import time
from collections.abc import Iterable, Iterator
from typing import Any

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import JsonLexer, TsxLexer

from renders.admin.display import as_json

CODE = re.compile(r"[{};<]|=>")
"""Text without any of these is a sentence in plain words."""
SECONDS = 0.5
"""Text that takes longer is shown without colours: some takes a lexer minutes, and anybody may send it."""


class _TooSlow(Exception):
    pass


def highlight_json(value: object) -> SafeString:
    """Return a value as indented JSON, with its syntax marked."""
    return _marked(as_json(value), JsonLexer(ensurenl=False, stripnl=False))


def highlight_code(code: str) -> SafeString:
    """Return JavaScript, TypeScript or JSX with its syntax marked; other text as it is."""
    if not CODE.search(code):
        return format_html("<code>{}</code>", code)
    return _marked(code, TsxLexer(ensurenl=False, stripnl=False))


def _marked(text: str, lexer: Lexer) -> SafeString:
    html = io.StringIO()
    try:
        HtmlFormatter(nowrap=True).format(_in_time(lexer.get_tokens(text)), html)
        ended = html.getvalue() if text.endswith("\n") else html.getvalue().removesuffix("\n")
        marked = mark_safe(ended)  # noqa: S308  (Pygments escapes the text of each token)
    except _TooSlow:
        marked = escape(text)
    return format_html('<code class="highlight">{}</code>', marked)


def _in_time(tokens: Iterable[Any]) -> Iterator[Any]:
    ends_at = time.monotonic() + SECONDS
    for token in tokens:
        if time.monotonic() > ends_at:
            raise _TooSlow
        yield token
