"""PostgreSQL's notifications of what the triggers of the migrations see, whatever changes the row.

SQLite has nothing like it. https://www.postgresql.org/docs/current/sql-listen.html
"""

from django.db import connection

DISPATCH = "renders_dispatch"
"""A queued render may start: one was queued, or slots were freed (migration 0002)."""

EVENTS = "renders_events"
"""An event was published (migration 0003)."""


def listen(channel: str) -> None:
    """Receive the notifications of a channel that are sent from now on, on this thread's connection."""
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {channel}")


def wait_for_notification(*, seconds: float) -> bool:
    """Wait for a notification, and return whether one came. Raise DatabaseError if the connection breaks."""
    with connection.wrap_database_errors:
        return bool(list(connection.connection.notifies(timeout=seconds, stop_after=1)))
