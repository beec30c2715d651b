"""The cache in the database that all processes share."""

import base64
import pickle

from django.core.cache.backends.db import DatabaseCache
from django.db import connections, router, transaction


class CountingDatabaseCache(DatabaseCache):
    """Django's, but ``incr`` is atomic and keeps the time at which the entry expires: Django reads, then sets."""

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Add to a number and return the sum. Raise ValueError if there is no such entry, or it has expired."""
        row = self.make_and_validate_key(key, version=version)
        alias = router.db_for_write(self.cache_model_class)
        connection = connections[alias]
        table = connection.ops.quote_name(self._table)  # type: ignore[attr-defined]  # not in the stubs
        with transaction.atomic(using=alias), connection.cursor() as cursor:
            if connection.features.has_select_for_update:  # else the transaction has locked the whole database
                cursor.execute(f"SELECT 1 FROM {table} WHERE cache_key = %s FOR UPDATE", [row])  # noqa: S608
            value = self.get(key, version=version)
            if value is None:
                raise ValueError(f"There is no entry {key!r}.")
            encoded = base64.b64encode(pickle.dumps(value + delta, self.pickle_protocol)).decode("ascii")
            cursor.execute(f"UPDATE {table} SET value = %s WHERE cache_key = %s", [encoded, row])  # noqa: S608
        total: int = value + delta
        return total
