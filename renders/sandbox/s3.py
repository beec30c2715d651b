"""The sandbox's S3, moto's server with an ObjectFile: ``python -m renders.sandbox.s3 PORT FILE``.

moto keeps objects in memory. Here a request that changes objects is answered when the change is in
the file, so what was answered outlives this process, even if it is killed. Uploads of several parts
count from their completion; older versions, tags and bucket settings are not kept. (moto's own
recorder would store every request, reads included, and repeat all of them at the next start.)

Prints one line of JSON, {"port": …}: PORT, or another if that one is taken.
"""

import contextlib
import json
import sys
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.models import FakeKey, S3Backend, get_canned_acl, s3_backends
from werkzeug.serving import make_server

from renders.sandbox.interrupted import fail_interrupted_renders
from renders.sandbox.network import listen
from renders.sandbox.objects import ObjectFile, StoredObject
from renders.sandbox.site import BUCKET

REGION = "us-east-1"

StartResponse = Callable[..., Any]


class PersistentS3:
    """moto's WSGI application, which saves the objects that a request has changed."""

    def __init__(self, objects: ObjectFile) -> None:
        self._objects = objects
        self._lock = threading.Lock()
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._backend: S3Backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
        for stored in objects.matching():
            self._restore(stored)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith("/sites/"):
            # `remotion lambda sites create` bundles for AWS, where each bucket has a host of its own.
            environ.update({name: f"/{BUCKET}{environ[name]}" for name in ("PATH_INFO", "RAW_URI", "REQUEST_URI")})
        response: Iterable[bytes] = self._moto(environ, start_response)
        if environ["REQUEST_METHOD"] in ("PUT", "POST", "DELETE"):
            # WSGI decodes paths as Latin-1.
            path = environ["PATH_INFO"].encode("latin-1").decode()
            bucket, _, key = path.removeprefix("/").partition("/")
            self._save(bucket, key)
        return response

    def _save(self, bucket: str, key: str) -> None:
        """Save the object as it is now; without a key, delete what has gone from the bucket."""
        with self._lock:
            in_memory = self._backend.buckets[bucket].keys if bucket in self._backend.buckets else {}
            for name in [key] if key else self._objects.keys(bucket):
                if name not in in_memory:
                    self._objects.delete(bucket, name)
            # moto closes the body of an object that is replaced: the request that does so saves the new one.
            with contextlib.suppress(ValueError):
                if isinstance(found := in_memory.get(key), FakeKey):
                    self._objects.save(_stored(bucket, found))

    def _restore(self, stored: StoredObject) -> None:
        if stored.bucket not in self._backend.buckets:
            self._backend.create_bucket(stored.bucket, REGION)
        key = self._backend.put_object(
            stored.bucket, stored.key, stored.body, storage=stored.storage_class, etag=stored.etag
        )
        key.set_metadata(dict(stored.headers))
        key.set_acl(get_canned_acl("public-read" if stored.is_public else "private"))
        key.last_modified = datetime.fromisoformat(stored.last_modified)


def _stored(bucket: str, key: FakeKey) -> StoredObject:
    return StoredObject(
        bucket=bucket,
        key=key.name,
        body=key.value,
        etag=key.etag.strip('"'),
        last_modified=key.last_modified.isoformat(),
        storage_class=key.storage_class or "STANDARD",
        is_public=bool(key.acl and key.acl.public_read),
        headers=dict(key.metadata),
    )


def serve(port: int, path: Path) -> None:
    """Serve S3 on the loopback interface until the process ends."""
    objects = ObjectFile(path)
    fail_interrupted_renders(objects)
    application = PersistentS3(objects)
    with listen(port) as listener:
        host, port = listener.getsockname()
        sys.stdout.write(json.dumps({"port": port}) + "\n")
        sys.stdout.flush()
        handler, fd = MotoRequestHandler, listener.fileno()
        make_server(host, port, application, threaded=True, request_handler=handler, fd=fd).serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]))
