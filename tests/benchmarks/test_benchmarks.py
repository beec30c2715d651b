"""The frame of the benchmarks; what they measure is in docs/benchmarks.md."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Sum
from django.test import Client

from renders.models import EndCount, RefreshState, Render, UsageDay
from tests.benchmarks import __main__ as command
from tests.benchmarks import against, dashboard, fill
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


CHECKOUT = """
from pathlib import Path
from tests.benchmarks import table

DATABASE = "of its own"

def measure():
    with Path({turns!r}).open("a") as turns:
        turns.write("{name} ")
    return {value}

def main():
    table.rounds({{"speed": measure}}, count=3)
    print("the end of {name}")
"""


def make_checkout(folder: Path, *, turns: Path, value: float) -> Path:
    """Make a checkout with a benchmark that notes when it is its turn."""
    package = folder / "tests" / "benchmarks"
    package.mkdir(parents=True)
    for file in (folder / "tests" / "__init__.py", package / "__init__.py", package / "table.py"):
        file.touch()
    (package / "__main__.py").write_text(CHECKOUT.format(turns=str(turns), name=folder.name, value=value))
    return folder


def test_two_checkouts_take_turns_and_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    turns = tmp_path / "turns"
    older = make_checkout(tmp_path / "older", turns=turns, value=2)
    newer = make_checkout(tmp_path / "newer", turns=turns, value=3)
    against.compare("any", older, newer)
    assert turns.read_text().split() == ["older", "newer"] * 3
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["older:", "the", "end", "of", "older"] in lines
    assert lines[-1] == ["speed,", "newer", "3.00", "3.00", "3.00", "1.50"]


def test_a_checkout_whose_benchmark_breaks_off_is_named(tmp_path: Path) -> None:
    older = make_checkout(tmp_path / "older", turns=tmp_path, value=2)  # a folder cannot be written
    with pytest.raises(SystemExit, match=r"older broke off"):
        against.compare("any", older, older)


@pytest.mark.django_db(transaction=True)
def test_the_table_of_the_lists_can_be_filled() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("The benchmarks use PostgreSQL.")
    fill.fill(1000)
    assert Render.objects.count() == 1000
    assert RefreshState.objects.count() == Render.objects.filter(status=Render.Status.RENDERING).count() == 4


@pytest.mark.django_db(transaction=True)
def test_the_tables_of_the_dashboard_can_be_filled() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("The benchmarks use PostgreSQL.")
    fill.fill(1000)
    dashboard.fill_statistics(owners=3, messages=100)
    assert UsageDay.objects.filter(owner__username="customer2").count() == 365
    ended = Render.objects.filter(finished_at__isnull=False).count()
    assert EndCount.objects.aggregate(Sum("renders")) == {"renders__sum": ended}
    client = Client(headers={"Host": "127.0.0.1"})
    client.force_login(User.objects.get(username="staff"))
    assert dashboard.p95(client, "/admin/") > 0


def test_without_postgresql_it_says_so_in_a_sentence() -> None:
    with (
        pytest.raises(SystemExit, match="The benchmarks need PostgreSQL"),
        command.own_database("postgres://127.0.0.1:1/x"),
    ):
        pass


@pytest.mark.parametrize("path", command.BENCHMARKS.values())
def test_each_benchmark_can_be_run(path: str) -> None:
    assert callable(import_module(path).run)
