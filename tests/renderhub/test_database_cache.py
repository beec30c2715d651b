from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from renderhub.database_cache import CountingDatabaseCache


@pytest.fixture
def counts(db: None) -> Iterator[CountingDatabaseCache]:
    counts = CountingDatabaseCache("renders_cache", {})
    yield counts
    counts.clear()


def expiry() -> object:
    with connection.cursor() as cursor:
        cursor.execute("SELECT expires FROM renders_cache")
        return cursor.fetchone()[0]


def test_it_adds(counts: CountingDatabaseCache) -> None:
    counts.set("a", 1)
    assert [counts.incr("a"), counts.incr("a", 5), counts.decr("a")] == [2, 7, 6]
    assert counts.get("a") == 6


def test_the_entry_expires_when_it_would_have(counts: CountingDatabaseCache) -> None:
    counts.set("a", 1, timeout=100)
    before = expiry()
    counts.incr("a")
    assert expiry() == before is not None


def test_without_an_entry_it_is_refused(counts: CountingDatabaseCache) -> None:
    counts.set("old", 1, timeout=-10)
    for key in ("new", "old"):
        with pytest.raises(ValueError, match="There is no entry"):
            counts.incr(key)


def test_it_is_three_statements_at_most(counts: CountingDatabaseCache) -> None:
    counts.set("a", 1)
    with CaptureQueriesContext(connection) as queries:
        counts.incr("a")
    statements = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(statements) == (3 if connection.vendor == "postgresql" else 2)


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_none_is_lost() -> None:
    counts = CountingDatabaseCache("renders_cache", {})
    counts.clear()
    counts.set("a", 0)

    def add(_: int) -> int:
        try:
            return counts.incr("a")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        totals = list(threads.map(add, range(100)))
    assert sorted(totals) == list(range(1, 101))
    assert counts.get("a") == 100
    counts.clear()
