"""Small tables inside a page, such as the renders of a batch. On a phone they scroll by themselves."""

from collections.abc import Iterable, Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

TABLE = (
    '<div class="scrolled" tabindex="0" role="region" aria-label="{}"><table class="rows">'
    "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
)


def table(name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> SafeString:
    """Return a table; ``name`` says to who cannot see it what it is. Cells are escaped unless they are HTML."""
    heads = format_html_join("", '<th scope="col">{}</th>', ((column,) for column in columns))
    cells = (format_html_join("", "<td>{}</td>", ((cell,) for cell in row)) for row in rows)
    return format_html(TABLE, name, heads, format_html_join("", "<tr>{}</tr>", ((row,) for row in cells)))
