"""How values are shown in the admin."""

import json
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

NOTHING = "–"


def seconds(seconds: float | None) -> str:
    return NOTHING if seconds is None else f"{seconds:,.1f}\N{NO-BREAK SPACE}s"


def as_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def preformatted(text: str) -> SafeString:
    style = "white-space: pre-wrap; overflow-wrap: anywhere; max-height: 24em; overflow: auto; margin: 0"
    return format_html('<pre style="{}">{}</pre>', style, text)
