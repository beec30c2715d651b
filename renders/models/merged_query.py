"""One page out of several index scans, merged in their order."""

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, Self, TypeVar

from django.db import models
from django.db.models import QuerySet

Row = TypeVar("Row", bound=models.Model)


class Scan(NamedTuple):
    """Rows that one index gives in the order that is asked for."""

    rows: "QuerySet[Any]"
    key: str = "id"
    """The field that has the primary key of the rows that are wanted; it stands in for ``id`` in the order."""


class MergedQuery(Generic[Row]):
    """Rows of ``rows`` whose primary keys are in one of ``scans``, which have no row in common.

    It offers what pages need of a query set: ``model``, ``order_by``, ``filter`` and a slice. A slice reads that many
    rows of each scan at most. The same as one query with ``IN`` or a join would read and sort all that fit.
    """

    def __init__(self, rows: "QuerySet[Row]", scans: Sequence[Scan]) -> None:
        self._rows, self._scans = rows, scans
        self._order: tuple[str, ...] = ()
        self.model = rows.model

    def order_by(self, *names: str) -> Self:
        merged = type(self)(self._rows, self._scans)
        merged._order = names
        return merged

    def filter(self, *conditions: Any, **lookups: Any) -> Self:
        """Filter each scan; the fields are those that all scans have."""
        scans = [scan._replace(rows=scan.rows.filter(*conditions, **lookups)) for scan in self._scans]
        merged = type(self)(self._rows, scans)
        merged._order = self._order
        return merged

    def __getitem__(self, chosen: slice) -> "QuerySet[Row]":
        first, *others = [self._keys(scan, chosen.stop) for scan in self._scans]
        keys = first.union(*others, all=True) if others else first
        return self._rows.filter(pk__in=keys).order_by(*self._order)[chosen]

    def _keys(self, scan: Scan, count: int) -> "QuerySet[Any]":
        """Return the primary keys of the first rows of a scan."""
        order = [name.replace("id", scan.key) if name.lstrip("-") == "id" else name for name in self._order]
        first = scan.rows.order_by(*order).values(scan.key)[:count]
        if len(self._scans) == 1:
            return first
        # SQLite takes no LIMIT in the parts of a union, so it stands one level deeper.
        return self._rows.model._default_manager.filter(pk__in=first).order_by().values("pk")
