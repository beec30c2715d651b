from typing import Any

from renders.sandbox.objects import StoredObject


def stored(key: str, body: bytes = b"", **fields: Any) -> StoredObject:
    """Return an object in the bucket ``b``."""
    defaults = {"etag": "e", "last_modified": "2030-01-01T00:00:00", "storage_class": "STANDARD"}
    return StoredObject(
        **{"bucket": "b", "key": key, "body": body, **defaults, "is_public": False, "headers": {}, **fields}
    )
