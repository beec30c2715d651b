"""The folder that keeps S3's objects, the database and the secrets from one run to the next."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from renders.sandbox.errors import SandboxError


@contextmanager
def open_data_folder(folder: Path, *, fresh: bool) -> Iterator[bool]:
    """Lock the folder, empty it if ``fresh``, and yield whether an earlier run has left data in it.

    Raise SandboxError if another sandbox has locked it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / "lock"
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as err:
            raise SandboxError(
                f"Another sandbox is using {folder}: stop it, or name another folder with --data."
            ) from err
        kept = [path for path in folder.iterdir() if path != lock]
        if fresh:
            for path in kept:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        yield bool(kept) and not fresh
