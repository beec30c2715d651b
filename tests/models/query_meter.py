"""What queries cost the database, without a clock."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

TABLES = ("renders_render", "renders_rendermetadata", "renders_rendertext", "renders_webhookdelivery")
"""The tables that grow for ever."""


@dataclass
class Cost:
    indexes: set[str] = field(default_factory=set)
    """Names of the indexes in the plans."""
    work: int = 0
    """On SQLite: steps of its virtual machine. On PostgreSQL: rows of ``TABLES`` that were read, returned or not."""


@contextmanager
def metered() -> Iterator[Cost]:
    """Measure the SELECTs, UPDATEs and DELETEs inside. Needs a transaction."""
    cost = Cost()
    explain = _explain_on_sqlite if connection.vendor == "sqlite" else _explain_on_postgresql

    def wrapper(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if not many and sql.startswith(("SELECT", "UPDATE", "DELETE")):
            explain(cost, sql, params)
        return execute(sql, params, many, context)

    with _steps_counted(cost), connection.execute_wrapper(wrapper):
        yield cost


@contextmanager
def _steps_counted(cost: Cost) -> Iterator[None]:
    def step() -> int:
        cost.work += 1
        return 0

    if connection.vendor != "sqlite":
        yield
        return
    connection.connection.set_progress_handler(step, 1)
    yield
    connection.connection.set_progress_handler(None, 0)


def _explain_on_sqlite(cost: Cost, sql: str, params: Any) -> None:
    plan = connection.create_cursor().execute(f"EXPLAIN QUERY PLAN {sql}", params)
    for *_, line in plan.fetchall():
        cost.indexes |= set(re.findall(r"INDEX (\w+)", line))


def _explain_on_postgresql(cost: Cost, sql: str, params: Any) -> None:
    """Run the statement, and roll it back: ANALYZE counts the rows that were really read."""
    cursor = connection.create_cursor()
    cursor.execute("SAVEPOINT explained")
    ((answer,),) = cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params).fetchall()
    cursor.execute("ROLLBACK TO SAVEPOINT explained")
    _add_nodes(cost, answer[0]["Plan"])


def _add_nodes(cost: Cost, node: dict[str, Any]) -> None:
    if "Index Name" in node:
        cost.indexes.add(node["Index Name"])
    if node.get("Relation Name") in TABLES:
        names = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
        cost.work += sum(node.get(name, 0) for name in names) * node["Actual Loops"]
    for child in node.get("Plans", []):
        _add_nodes(cost, child)
