"""A state as a coloured word, and an amount as a bar: the colour is never the only sign."""

from typing import Literal

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

Tone = Literal["neutral", "info", "success", "warning", "danger"]


def label(text: str, tone: Tone = "neutral", *, title: str = "") -> SafeString:
    """Return a word in the colour of its tone; ``title`` is shown on hover."""
    return render_to_string("unfold/helpers/label.html", {"text": text, "type": tone, "label_title": title})


BAR = (
    '<span class="share"><progress value="{}" max="1" aria-label="{}" data-tone="{}"></progress> <span>{}</span></span>'
)


def share(part: float, said: str, *, tone: Tone = "info") -> SafeString:
    """Return a part of a whole, 0 to 1, as a bar beside the words that say it."""
    return format_html(BAR, f"{min(max(part, 0), 1):.4f}", said, tone, said)


def of_limit(used: float, limit: float | None, said: str) -> SafeString:
    """Return what is used of a limit: in words, and as a bar where there is a limit."""
    if limit is None:
        return format_html("{}", said)
    return share(used / limit if limit else 1, said, tone="danger" if used >= limit else "info")
