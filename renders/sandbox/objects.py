"""An SQLite file with the objects of the sandbox's S3, so that they outlive its process."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class StoredObject:
    """An object with what is needed to serve it again as before."""

    bucket: str
    key: str
    body: bytes
    etag: str
    last_modified: str
    """ISO 8601, UTC without an offset."""
    storage_class: str
    is_public: bool
    headers: dict[str, str]
    """Content-Type, Content-Disposition, x-amz-meta-… and their like."""


class ObjectFile:
    """Objects by bucket and key, for one thread at a time.

    Each change is committed when its method returns. It survives the end of the process, but not
    necessarily that of the machine, because it is not flushed to the disk at once.
    """

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
            "CREATE TABLE IF NOT EXISTS object"
            " (bucket TEXT, key TEXT, description TEXT, body BLOB, PRIMARY KEY (bucket, key))"
        )

    def save(self, stored: StoredObject) -> None:
        """Insert the object, or replace the one of the same bucket and key."""
        description = asdict(stored)
        bucket, key, body = (description.pop(name) for name in ("bucket", "key", "body"))
        self._connection.execute(
            "INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?)", (bucket, key, json.dumps(description), body)
        )

    def delete(self, bucket: str, key: str) -> None:
        """Delete the object, if there is one."""
        self._connection.execute("DELETE FROM object WHERE bucket = ? AND key = ?", (bucket, key))

    def keys(self, bucket: str) -> list[str]:
        """Return the keys of all objects in the bucket."""
        return [key for (key,) in self._connection.execute("SELECT key FROM object WHERE bucket = ?", (bucket,))]

    def matching(self, pattern: str = "%") -> Iterator[StoredObject]:
        """Yield the objects whose keys match the LIKE pattern, one at a time."""
        rows = self._connection.execute(
            "SELECT bucket, key, description, body FROM object WHERE key LIKE ?", (pattern,)
        )
        for bucket, key, description, body in rows:
            yield StoredObject(bucket=bucket, key=key, body=body, **json.loads(description))
