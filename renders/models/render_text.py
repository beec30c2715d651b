"""The words of renders, by which they are found: those of their errors and of the strings in their input props."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connection, models, transaction
from django.db.models import F, Func, Q, Value
from django.db.models.expressions import RawSQL

from renders.models.render import Render

MAX_LENGTH = 1000
"""Characters that are kept of a text; each word is kept once."""
MAX_READ = 20_000
"""Characters of a text that are read for it."""
MAX_WORD = 64
MAX_LOOKED_FOR = 50
"""Of a longer text, so many words are looked for: SQLite takes no condition of a thousand parts."""
MIN_PREFIX = 3
"""A shorter word is looked for as it is; a longer one may be the beginning of one."""

MATCHING = (
    "SELECT render_id FROM renders_rendertext"
    " WHERE to_tsvector('simple', error || ' ' || input) @@ to_tsquery('simple', "
)
"""Ids of renders with the words of a query that follows, by the index of migration 0005."""

MANY = 5_000
"""Words of more renders than that are common: one after the other, the newest renders soon have enough of them."""


def words_of(texts: Iterable[str]) -> list[str]:
    """Return the words of these texts, in lower case, each once."""
    words: dict[str, None] = {}
    left = MAX_READ
    for text in texts:
        words |= dict.fromkeys(word[:MAX_WORD] for word in re.split(r"[\W_]+", text[:left].lower()) if word)
        left -= len(text)
        if left <= 0:
            break
    return list(words)


def strings_in(value: Any) -> Iterator[str]:
    """Yield all strings inside a JSON value, but not the names of properties."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from strings_in(each)


def _stored(texts: Iterable[str]) -> str:
    """Return the words of these texts, each between spaces."""
    return f" {' '.join(words_of(texts))} "[:MAX_LENGTH]


class RenderTextQuerySet(models.QuerySet["RenderText"]):
    def store(self, renders: Iterable[Render]) -> None:
        """Insert the words of these renders, whose rows have just been inserted."""
        RenderText.objects.bulk_create(
            RenderText(render=render, error=_stored([render.error]), input=_stored(strings_in(render.input_props)))
            for render in renders
        )

    def update_errors(self, renders: Iterable[Render]) -> None:
        """Store the words of the errors that these renders have now."""
        RenderText.objects.bulk_create(
            [RenderText(render=render, error=_stored([render.error])) for render in renders],
            update_conflicts=True,
            unique_fields=["render"],
            update_fields=["error"],
        )


def has_words(text: str) -> Q:
    """Return the condition that a render has each word of ``text``, or one that begins so; never, if it has no word.

    Only the first ``MAX_LOOKED_FOR`` words count.

    PostgreSQL finds such renders by an index; SQLite reads the words of every render that fulfils the other conditions.
    """
    words = words_of([text])[:MAX_LOOKED_FOR]
    if not words:
        return Q(pk__in=[])
    if connection.vendor == "postgresql":
        query = " & ".join(f"{word}:*" if len(word) >= MIN_PREFIX else word for word in words)
        return Q(_IsOneOfFew(query)) if _are_few(query) else Q(pk__in=RawSQL(f"{MATCHING}%s)", [query]))  # noqa: S611
    condition = Q()
    for word in words:
        part = f" {word}" if len(word) >= MIN_PREFIX else f" {word} "
        condition &= Q(text__error__contains=part) | Q(text__input__contains=part)
    return condition


class _IsOneOfFew(Func):
    """Whether a render has these words. PostgreSQL first finds all that have them: it takes an array for short."""

    template = "(%(expressions)s))))"
    arg_joiner = f" = ANY (ARRAY ({MATCHING}"

    def __init__(self, query: str) -> None:
        super().__init__(F("pk"), Value(query), output_field=models.BooleanField())


def _are_few(query: str) -> bool:
    """Return whether at most ``MANY`` renders have these words, by the index, whatever PostgreSQL expects."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('enable_seqscan', 'off', true)")
        cursor.execute(f"SELECT count(*) FROM ({MATCHING}%s) LIMIT {MANY + 1}) AS found", [query])  # noqa: S608
        (count,) = cursor.fetchone()
        cursor.execute("SELECT set_config('enable_seqscan', 'on', true)")
    return bool(count <= MANY)


class RenderText(models.Model):
    """The words of one render. A table of its own, so that the row of the render and its indexes do not grow."""

    render = models.OneToOneField(Render, on_delete=models.CASCADE, primary_key=True, related_name="text")
    error = models.TextField(blank=True, default="", help_text="Words of its error, each between spaces.")
    input = models.TextField(blank=True, default="", help_text="Words of the strings in its input props.")

    objects = RenderTextQuerySet.as_manager()

    def __str__(self) -> str:
        return str(self.render_id)
