"""Watch the source files of a project."""

from collections.abc import Iterator
from pathlib import Path

from watchfiles import Change, DefaultFilter, watch

from renders.sandbox.errors import SandboxError

OUTPUTS = ("out", "build", "dist")
"""Folders of files that nobody has edited, besides node_modules and hidden ones."""


class SourceFilter(DefaultFilter):
    """Lets through what somebody edits: no packages, no caches, no output."""

    ignore_dirs = (*DefaultFilter.ignore_dirs, *OUTPUTS)

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def __call__(self, change: Change, path: str) -> bool:
        """Judge the path within the project: the folders above it do not matter."""
        inside = Path(path).relative_to(self._folder)
        is_hidden = any(part.startswith(".") for part in inside.parts)
        return not is_hidden and super().__call__(change, str(inside))


def saved_files(folder: Path, *, seconds: float = 1) -> Iterator[set[Path]]:
    """Yield the files that were saved, when a burst of changes has ended; an empty set after ``seconds`` without.

    Raise SandboxError if the machine does not let the folder be watched.
    """
    timeout = round(seconds * 1000)
    try:
        for batch in watch(folder, watch_filter=SourceFilter(folder), rust_timeout=timeout, yield_on_timeout=True):
            yield {Path(path) for _, path in batch}
    except OSError as err:
        raise SandboxError(f"{folder} cannot be watched ({err}): start without --watch.") from err
