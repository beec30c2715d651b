"""Find out why a database cannot be used: it cannot be reached, or it is not migrated."""

import sqlite3
from dataclasses import dataclass

import psycopg
from django.db import DEFAULT_DB_ALIAS, Error, InterfaceError, OperationalError, ProgrammingError, connections
from django.db.migrations.executor import MigrationExecutor

SQLITE_UNUSABLE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}
POSTGRES_UNUSABLE = ("08", "28", "3D", "53", "57P")
"""Classes of SQLSTATE: connection, authorization, no such database, out of resources, shutting down.

https://www.postgresql.org/docs/current/errcodes-appendix.html
"""


@dataclass(frozen=True)
class Unusable:
    """The database does not take a connection, or has ended the one that there was."""

    reason: str
    """The driver's message, for the operator: it can name hosts and users."""

    def __str__(self) -> str:
        return f"The database cannot be used ({self.reason}): try again, or check DATABASE_URL."


@dataclass(frozen=True)
class NotMigrated:
    """The database lacks tables or columns of this version."""

    migrations: int

    def __str__(self) -> str:
        return f"The database is not migrated ({self.migrations} migrations to apply): run `python manage.py migrate`."


def find_problem(err: Error) -> Unusable | NotMigrated | None:
    """Return what keeps every statement from working, or None if ``err`` has another cause."""
    if _is_unusable(err):
        return Unusable(_reason(err))
    if not isinstance(err, OperationalError | ProgrammingError) or connections[DEFAULT_DB_ALIAS].in_atomic_block:
        return None
    return check_database()


def check_database() -> Unusable | NotMigrated | None:
    """Connect to the database and compare its migrations with those of the code."""
    try:
        executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error as err:
        return Unusable(_reason(err))
    return NotMigrated(len(plan)) if plan else None


def _is_unusable(err: Error) -> bool:
    cause = err.__cause__
    if isinstance(cause, sqlite3.Error):
        # The low byte is the primary code; the rest says more about it.
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF in SQLITE_UNUSABLE
    if not isinstance(err, OperationalError | InterfaceError) or not isinstance(cause, psycopg.Error):
        return False
    # The client's own errors have no SQLSTATE: it did not connect, or the connection broke.
    return cause.sqlstate is None or cause.sqlstate.startswith(POSTGRES_UNUSABLE)


def _reason(err: Error) -> str:
    return " ".join(str(err).partition("\n")[0].split()).rstrip(".")
