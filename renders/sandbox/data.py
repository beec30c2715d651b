"""The folder that keeps S3's objects, the database and the secrets from one run to the next."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from renders.sandbox.errors import SandboxError

DATABASE, OBJECTS, ENV, SIGN_IN = "db.sqlite3", "objects.sqlite3", "env", "sign-in"
"""Names of the files in the folder."""

LOCK = "lock"
OWN_FILES = (
    ENV,
    SIGN_IN,
    *(f"{name}{end}" for name in (DATABASE, OBJECTS) for end in ("", "-wal", "-shm", "-journal", ".worker")),
)


@contextmanager
def open_data_folder(folder: Path, *, fresh: bool) -> Iterator[bool]:
    """Lock the folder and yield whether an earlier run has left data in it; delete the data if ``fresh``.

    Raise SandboxError if another sandbox has locked it, or if it is not a folder for a sandbox.
    """
    _require_own_folder(folder)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as err:
            raise SandboxError(
                f"Another sandbox is using {folder}: stop it, or name another folder with --data."
            ) from err
        data = [folder / name for name in OWN_FILES if (folder / name).exists()]
        if fresh:
            for path in data:
                path.unlink()
        yield bool(data) and not fresh


def _require_own_folder(folder: Path) -> None:
    """Make the folder if there is none. Raise SandboxError if it holds the files of something else."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_own = (folder / LOCK).is_file() or not any(folder.iterdir())
    except OSError as err:
        raise SandboxError(f"{folder} cannot be used for the sandbox's data: {err.strerror}.") from err
    if not is_own:
        raise SandboxError(f"{folder} holds other files: name an empty or a new folder with --data.")
