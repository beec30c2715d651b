"""Child processes that never outlive their parent.

``start_child_process`` starts this file as a supervisor, and the supervisor starts the command.
The parent holds the write end of the supervisor's standard input. When that end closes, which also
happens when the parent is killed with SIGKILL, the supervisor kills the command and all of its
descendants. A signal to the process group would not be enough: Chromium runs in a process group of
its own and outlives a Node process that is killed.
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

PR_SET_PDEATHSIG = 1
"""From linux/prctl.h: the signal that a process gets when its parent ends."""
PR_SET_CHILD_SUBREAPER = 36
"""From linux/prctl.h: orphaned descendants become children of this process."""


def start_child_process(command: Sequence[str | Path], **options: Any) -> "subprocess.Popen[bytes]":
    """Start ``command`` so that it ends with this process; ``options`` are those of Popen.

    Leaving ``with`` ends it as well. It runs in a session of its own, so Ctrl-C in the terminal
    reaches the parent only.
    """
    return subprocess.Popen(  # noqa: S603
        [sys.executable, __file__, *command], stdin=subprocess.PIPE, start_new_session=True, **options
    )


def supervise(command: Sequence[str]) -> None:
    """Run ``command`` until it ends, SIGTERM arrives or standard input closes; exit with its status."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, kill_descendants_and_exit)
    # There is one thread yet, so code may run in the child before the command does.
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=end_with_supervisor)  # noqa: S603, PLW1509
    threading.Thread(target=exit_when_stdin_closes, daemon=True).start()
    status = child.wait()
    kill_descendants()
    os._exit(status if status >= 0 else 128 - status)


def end_with_supervisor() -> None:
    """Have Linux kill this process when the supervisor is killed, which can end nothing itself then."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def exit_when_stdin_closes() -> None:
    """Wait for the end of standard input, then kill all descendants and exit."""
    while os.read(0, 1024):
        pass
    kill_descendants_and_exit()


def kill_descendants_and_exit(*_: Any) -> None:
    """Kill all descendants and exit; also a signal handler."""
    kill_descendants()
    os._exit(0)


def kill_descendants() -> None:
    """Kill all descendants, including those that are started meanwhile."""
    while descendants := psutil.Process().children(recursive=True):
        for process in descendants:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(descendants, timeout=2)


if __name__ == "__main__":
    supervise(sys.argv[1:])
