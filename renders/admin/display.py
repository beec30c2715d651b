"""How values are shown in the admin."""

import json
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from renders.remotion.options import media_type

NOTHING = "–"


def seconds(seconds: float | None) -> str:
    return NOTHING if seconds is None else f"{seconds:,.1f}\N{NO-BREAK SPACE}s"


def as_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def preformatted(text: str) -> SafeString:
    style = "white-space: pre-wrap; overflow-wrap: anywhere; max-height: 24em; overflow: auto; margin: 0"
    return format_html('<pre style="{}">{}</pre>', style, text)


PLAYERS = {
    "video": '<video src="{}" controls preload="metadata" style="max-width: 640px; width: 100%"></video><br>',
    "audio": '<audio src="{}" controls preload="metadata"></audio><br>',
    "image": '<img src="{}" alt="Output" style="max-width: 640px; max-height: 480px"><br>',
    "document": "",
}


def player(url: str, extension: str) -> SafeString:
    """What shows a file with this extension, and a link to it."""
    shown = format_html(PLAYERS[media_type(extension)], url)
    return format_html('{}<a href="{}">Download</a> (this link is good for one hour)', shown, url)
