from django.contrib.staticfiles.management.commands.runserver import Command as StaticFilesCommand
from django.db import Error as DatabaseError

from renders.operations.database import find_problem


class Command(StaticFilesCommand):
    """Django's development server, which serves even while the database cannot be reached."""

    def check_migrations(self) -> None:
        try:
            super().check_migrations()
        except DatabaseError as err:
            # Django would print a traceback and serve nothing, but keep running.
            self.stderr.write(str(find_problem(err) or err))
