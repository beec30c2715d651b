from django.core.management.base import BaseCommand, CommandError

from renders.operations.database import check_database


class DatabaseCommand(BaseCommand):
    """A command that works on the rows: it refuses to start on a database that is not migrated."""

    requires_migrations_checks = True

    def check_migrations(self) -> None:
        if problem := check_database():
            raise CommandError(str(problem))
