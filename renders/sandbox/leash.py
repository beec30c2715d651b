"""Runs commands that do not outlive us: ``python leash.py COMMAND …``, started by ``leashed()``.

The parent holds the other end of the leash's standard input. When that closes, be it by
``kill -9`` of the parent, the command and all its descendants are killed. Chromium is why: it is
started in a process group of its own, which no signal to a group reaches, and it outlives a worker
that is killed.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil


def leashed(command: Sequence[str | Path], **options: Any) -> "subprocess.Popen[bytes]":
    """Starts ``command`` on a leash; ``options`` are those of Popen. Leaving ``with`` ends it.

    It has no part in the terminal's Ctrl-C: its parent decides when it ends.
    """
    return subprocess.Popen(  # noqa: S603
        [sys.executable, __file__, *command], stdin=subprocess.PIPE, start_new_session=True, **options
    )


PR_SET_CHILD_SUBREAPER = 36
"""From linux/prctl.h: orphans among our descendants become our children."""


def kill_descendants() -> None:
    """Kills all descendants, and those that they start meanwhile."""
    while descendants := psutil.Process().children(recursive=True):
        for process in descendants:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(descendants, timeout=2)


def end(*_: Any) -> None:
    kill_descendants()
    os._exit(0)


def watch_parent() -> None:
    while os.read(0, 1024):
        pass
    end()


if __name__ == "__main__":
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, end)
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)  # noqa: S603
    threading.Thread(target=watch_parent, daemon=True).start()
    status = child.wait()
    kill_descendants()
    os._exit(status if status >= 0 else 128 - status)
