"""Find renders by what a person types: the beginning of an id, an owner's name or e-mail, words of an error or input.

Each part is answered by an index of its own; one query with an OR of them would read the whole table.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import Q

from renders.models import Render, RenderQuerySet, has_words

MIN_PREFIX = 4
"""Characters of an id; fewer begin too many of them."""
MAX_IDS = 200
MAX_OWNERS = 10
NEWEST = 10_000
"""Among so many renders, words are looked for where the database has no index for them."""

PREFIX_OF_OUR_ID = re.compile(r"(?=.*\d)[0-9a-f-]{4,36}|[a-f-]{8,36}")
"""Short ones without a digit are words: "face"."""


@dataclass(frozen=True)
class Search:
    """What was typed, and what it means: renders with these ids, of these owners, with these words."""

    text: str
    ids: Sequence[UUID] = ()
    owners: Sequence[Any] = ()
    words: str = ""

    @property
    def note(self) -> str:
        """What is looked for, in one sentence; empty if that is plain."""
        if not self.owners and not self.words:
            return ""
        return f"Looked for {', and '.join(self._parts())}."

    def _parts(self) -> Iterator[str]:
        if self.ids:
            first = f"the first {MAX_IDS} " if len(self.ids) == MAX_IDS else ""
            yield f"{first}renders whose id begins with “{self.text}”"
        if self.owners:
            names = ", ".join(owner.get_username() for owner in self.owners)
            yield f"renders of {names}{', the first such owners' if len(self.owners) == MAX_OWNERS else ''}"
        if self.words:
            among = "" if has_index_of_words() else f" among the newest {NEWEST:,}"
            yield f"renders{among} with “{self.words}” in their error or input"

    def among(self, renders: RenderQuerySet) -> "Found":
        """Return those of ``renders`` that are meant."""
        parts = [renders.filter(owner=owner) for owner in self.owners]
        condition = Q(owner__in=self.owners) if self.owners else Q(pk__in=[])
        if self.ids:
            with_id = Q(pk__in=self.ids)
            parts.append(renders.filter(with_id).exclude(condition))
            condition |= with_id
        if self.words:
            with_words = _with_words(renders, self.words)
            parts.append(renders.filter(with_words).exclude(condition))
            condition |= with_words
        return Found(renders.filter(condition), parts, self.note)


@dataclass(frozen=True)
class Found:
    """What a search has found."""

    renders: RenderQuerySet
    """All of it, as one query, which may read many rows."""
    parts: Sequence[RenderQuerySet]
    """The same in parts that have no row in common, each answered by an index."""
    note: str


def search(renders: RenderQuerySet, text: str) -> Found:
    """Return those of ``renders`` that ``text`` may mean; all if it is empty."""
    text = text.strip()
    return understand(text).among(renders) if text else Found(renders, [renders], "")


def understand(text: str) -> Search:
    """Return what ``text`` means. In quotes it is words; ids and names in full mean nothing else."""
    if len(text) > 2 and text[0] == text[-1] == '"':
        return Search(text, words=text[1:-1])
    renders = Render.objects.order_by()
    if ids := list(renders.matching_id(*text.split()).values_list("pk", flat=True)[:MAX_IDS]):
        return Search(text, ids=ids)
    if owners := _owners(text, "iexact"):
        return Search(text, owners=owners)
    return Search(text, ids=ids_matching(text), owners=_owners(text, "istartswith"), words=text)


def has_index_of_words() -> bool:
    """Return whether the database finds words in all renders."""
    return connection.vendor == "postgresql"


def _with_words(renders: RenderQuerySet, words: str) -> Q:
    if has_index_of_words():
        return has_words(words)
    newest = Render.objects.filter(pk__in=renders.order_by("-created_at", "-id").values("pk")[:NEWEST])
    return Q(pk__in=newest.order_by().filter(has_words(words)).values("pk"))


def ids_matching(text: str) -> list[UUID]:
    """Return ids of renders whose id or renderId begins so, or whose external id it is; at most ``MAX_IDS``."""
    if len(text) < MIN_PREFIX or len(text.split()) > 1:
        return []
    renders = Render.objects.order_by()
    sets = [renders.with_render_id_prefix(prefix) for prefix in {text, text.lower()}]
    sets.append(renders.named(text))
    if PREFIX_OF_OUR_ID.fullmatch(text.lower()):
        sets.append(renders.with_id_prefix(text.lower()))
    found = {pk for each in sets for pk in each.values_list("pk", flat=True)[:MAX_IDS]}
    return list(found)[:MAX_IDS]


def _owners(text: str, lookup: str) -> list[Any]:
    """Return the users whose name or e-mail fits, whatever the case."""
    users = get_user_model()._default_manager
    name, email = users.model.USERNAME_FIELD, users.model.EMAIL_FIELD
    fits = Q(**{f"{name}__{lookup}": text}) | Q(**{f"{email}__{lookup}": text})
    return list(users.filter(fits).order_by(name)[:MAX_OWNERS])
