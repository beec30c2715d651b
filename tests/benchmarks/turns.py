"""Run a benchmark of the checkout in the current folder; each round waits for a line of input.

``against`` starts this file in its own checkout and in another, so nothing is imported that an
older checkout does not have. Lines of output that are for it begin with MESSAGE.
"""

import json
import sys
from collections.abc import Callable, Mapping

from tests.benchmarks import __main__ as command
from tests.benchmarks import table

MESSAGE = "turns: "


def wait_for_turn(results: dict[str, list[float]]) -> None:
    sys.stdout.write(f"{MESSAGE}{json.dumps(results)}\n")
    sys.stdout.flush()
    if not sys.stdin.readline():
        raise SystemExit(1)


def rounds(contenders: Mapping[str, Callable[[], float]], count: int = 5) -> dict[str, list[float]]:
    """Measure each contender once a round, as ``table.rounds`` does, when it is our turn."""
    results: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(count):
        wait_for_turn({})
        for name, measure in contenders.items():
            results[name].append(measure())
    wait_for_turn(results)
    return results


if __name__ == "__main__":
    # Before a benchmark's module is imported, which takes it from there.
    table.rounds = rounds
    name, command.DATABASE = sys.argv[1:]
    sys.argv[1:] = [name]
    sys.exit(command.main())
