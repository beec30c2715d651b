"""Ids among the words of a search."""

from collections.abc import Iterable
from contextlib import suppress
from uuid import UUID


def uuids(words: Iterable[str]) -> list[UUID]:
    """Return the words that are UUIDs; others are no ids of ours."""
    found = []
    for word in words:
        with suppress(ValueError):
            found.append(UUID(word))
    return found
