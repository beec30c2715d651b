"""PostgreSQL's notification that a queued render may start: one was queued, or slots were freed.

The triggers of migration 0002 send it, whatever changes the row. SQLite has nothing like it.
https://www.postgresql.org/docs/current/sql-listen.html
"""

from django.db import connection


def listen() -> None:
    """Receive the notifications that are sent from now on, on this thread's connection."""
    with connection.cursor() as cursor:
        cursor.execute("LISTEN renders_dispatch")


def wait_for_notification(*, seconds: float) -> bool:
    """Wait for a notification, and return whether one came. Raise DatabaseError if the connection breaks."""
    with connection.wrap_database_errors:
        return bool(list(connection.connection.notifies(timeout=seconds, stop_after=1)))
