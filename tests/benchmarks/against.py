"""Two checkouts side by side: each runs its own benchmark, a round of each in turn.

Both are set up once, one after the other, and never work at the same time.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.table import Results, say, show

HERE = Path(__file__).parent.parent.parent
TURNS = HERE / "tests" / "benchmarks" / "turns.py"
MESSAGE = "turns: "
"""As in turns.py, which imports nothing from here."""


class Checkout:
    """A process that runs a checkout's benchmark and stops before each round."""

    def __init__(self, folder: Path, process: "subprocess.Popen[str]") -> None:
        self.folder, self.process = folder, process
        self.results: Results = {}

    def measure(self) -> None:
        """Let it work until it stops before the next round, or after the last one with its results."""
        self._go_on()
        self.wait()

    def finish(self) -> None:
        """Let it do what comes after its rounds."""
        self._go_on()
        self._read()

    def wait(self) -> None:
        message = self._read()
        if not message:
            raise SystemExit(f"The benchmark of {self.folder} broke off.")
        self.results = json.loads(message)

    def _go_on(self) -> None:
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def _read(self) -> str:
        """Pass its output on up to its next message; empty if it has ended."""
        assert self.process.stdout
        for line in self.process.stdout:
            if line.startswith(MESSAGE):
                return line.removeprefix(MESSAGE)
            say(f"{self.folder.name}: {line.rstrip()}")
        return ""


def compare(name: str, theirs_in: Path, ours_in: Path = HERE) -> None:
    """Print the medians of both checkouts for each figure, and ours divided by theirs."""
    with started(theirs_in.resolve(), name, "theirs") as theirs, started(ours_in, name, "ours") as ours:
        while waiting := [checkout for checkout in (theirs, ours) if not checkout.results]:
            for checkout in waiting:
                checkout.measure()
        theirs.finish()
        ours.finish()
    for figure in [figure for figure in ours.results if figure in theirs.results]:
        names = {checkout: f"{figure}, {checkout.folder.name}" for checkout in (theirs, ours)}
        results = {names[checkout]: checkout.results[figure] for checkout in (theirs, ours)}
        say()
        show(results, unit="median", against={names[ours]: names[theirs]})


@contextmanager
def started(folder: Path, name: str, database: str) -> Iterator[Checkout]:
    """The checkout's benchmark, set up and stopped before its first round."""
    with subprocess.Popen(
        # -P, so that the modules beside the file are not imported by their bare names.
        [sys.executable, "-P", str(TURNS), name, f"renderhub_benchmarks_{database}"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        checkout = Checkout(folder, process)
        try:
            checkout.wait()
            yield checkout
        finally:
            if process.poll() is None:
                process.terminate()
