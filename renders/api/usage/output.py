"""What goes out: a report of usage as JSON, or as CSV that is sent while it is read."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from renders.services.usage.report import GroupBy

NAMES = {"video_seconds": "videoSeconds", "function_seconds": "functionSeconds"}
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Begins a text that a spreadsheet would run as a formula."""


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def described(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row under the names of the API."""
    return {NAMES.get(name, name): value for name, value in row.items()}


def csv_lines(rows: Iterable[Mapping[str, Any]], *, group_by: GroupBy) -> Iterator[str]:
    """Yield the lines of a CSV file with a header. An empty first column means none, or the default template."""
    writer = csv.writer(_Echo())
    counted = ("renders", "succeeded", "failed", "cancelled", "videoSeconds", "functionSeconds", "cost")
    yield writer.writerow([group_by, "currency", *counted])
    for row in map(described, rows):
        yield writer.writerow([_cell(row[group_by]), row["currency"], *(row[name] for name in counted)])


def _cell(value: str | date | None) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text
