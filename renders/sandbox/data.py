"""The folder that keeps S3's objects, the database and the secrets from one run to the next."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from renders.sandbox.errors import SandboxError

DATABASE, OBJECTS, ENV = "db.sqlite3", "objects.sqlite3", "env"
"""Names of the files in the folder."""


@contextmanager
def open_data_folder(folder: Path, *, fresh: bool) -> Iterator[bool]:
    """Lock the folder and yield whether an earlier run has left data in it; delete the data if ``fresh``.

    Raise SandboxError if another sandbox has locked it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as err:
            raise SandboxError(
                f"Another sandbox is using {folder}: stop it, or name another folder with --data."
            ) from err
        # SQLite's own files beside a database start with its name. Files of others stay.
        data = [path for path in folder.iterdir() if path.name.startswith((DATABASE, OBJECTS, ENV))]
        if fresh:
            for path in data:
                path.unlink()
        yield bool(data) and not fresh
