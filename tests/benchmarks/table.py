"""Rounds in which contenders take turns, and what is printed of them."""

import statistics
import sys
from collections.abc import Callable, Mapping

from tqdm import tqdm

Results = dict[str, list[float]]


def rounds(contenders: Mapping[str, Callable[[], float]], count: int = 5) -> Results:
    """Lets each contender measure itself once a round, so that whatever slows the machine meets all."""
    results: Results = {name: [] for name in contenders}
    turns = [turn for _ in range(count) for turn in contenders.items()]
    for name, measure in tqdm(turns, desc="rounds", leave=False, disable=None):
        results[name].append(measure())
    return results


def ratio(results: Results, name: str, against: str) -> float:
    """How many times the median of ``against`` the median of ``name`` is."""
    return statistics.median(results[name]) / statistics.median(results[against])


def show(results: Results, *, unit: str, against: Mapping[str, str]) -> None:
    """Prints medians, the lowest and the highest round, and for each in ``against`` its ratio to that one."""
    width = max(map(len, results))
    say(f"{'':{width}} {unit:>14} {'lowest':>10} {'highest':>10} {'ratio':>8}")
    for name, values in results.items():
        compared = f"{ratio(results, name, against[name]):8.2f}" if name in against else ""
        say(f"{name:{width}} {statistics.median(values):14,.2f} {min(values):10,.2f} {max(values):10,.2f} {compared}")


def conclude(figure: str, value: float, *, at_most: float | None = None, at_least: float | None = None) -> bool:
    """Prints the figure that counts, as the last line, and says whether it is met."""
    is_met = (at_most is None or value <= at_most) and (at_least is None or value >= at_least)
    wanted = f"at most {at_most:g}" if at_most is not None else f"at least {at_least:g}"
    say(f"{figure}: {value:.2f} ({wanted}): {'met' if is_met else 'MISSED'}")
    return is_met


def say(text: str = "") -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
