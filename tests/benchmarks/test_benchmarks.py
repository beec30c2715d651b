"""The frame of the benchmarks; what they measure is in docs/benchmarks.md."""

from collections.abc import Callable
from importlib import import_module

import pytest

from tests.benchmarks import __main__ as command
from tests.benchmarks.table import conclude, ratio, rounds, show


def test_contenders_take_turns() -> None:
    turns: list[str] = []

    def contender(name: str, value: float) -> Callable[[], float]:
        def measure() -> float:
            turns.append(name)
            return value

        return measure

    results = rounds({"ours": contender("ours", 2.0), "theirs": contender("theirs", 8.0)}, count=3)
    assert turns == ["ours", "theirs"] * 3
    assert results == {"ours": [2.0] * 3, "theirs": [8.0] * 3}


def test_the_table_has_median_spread_and_ratio(capsys: pytest.CaptureFixture[str]) -> None:
    results = {"theirs": [4.0, 1.0, 2.0], "ours": [6.0, 3.0, 9.0]}
    show(results, unit="ms", against={"ours": "theirs"})
    assert ratio(results, "ours", "theirs") == 3
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["ms", "lowest", "highest", "ratio"],
        ["theirs", "2.00", "1.00", "4.00"],
        ["ours", "6.00", "3.00", "9.00", "3.00"],
    ]


@pytest.mark.parametrize(
    ("limits", "last"),
    [
        ({"at_most": 3}, "so much: 2.00 (at most 3): met"),
        ({"at_most": 1.5}, "so much: 2.00 (at most 1.5): MISSED"),
        ({"at_least": 2}, "so much: 2.00 (at least 2): met"),
        ({"at_least": 10}, "so much: 2.00 (at least 10): MISSED"),
    ],
)
def test_the_last_line_says_whether_the_figure_is_met(
    limits: dict[str, float], last: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert conclude("so much", 2, **limits) is last.endswith("met")
    assert capsys.readouterr().out == f"{last}\n"


def test_without_postgresql_it_says_so_in_a_sentence() -> None:
    with (
        pytest.raises(SystemExit, match="The benchmarks need PostgreSQL"),
        command.own_database("postgres://127.0.0.1:1/x"),
    ):
        pass


@pytest.mark.parametrize("path", command.BENCHMARKS.values())
def test_each_benchmark_can_be_run(path: str) -> None:
    assert callable(import_module(path).run)
