#!/usr/bin/env python
import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import Error as DatabaseError

from renders.operations.database import find_problem


def main() -> None:
    """Run a command; where the service is not set up, print one sentence instead of a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "renderhub.settings")
    try:
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, DatabaseError) as err:
        sentence = find_problem(err) if isinstance(err, DatabaseError) else err
        if sentence is None or "--traceback" in sys.argv:
            raise
        sys.exit(str(sentence))


if __name__ == "__main__":
    main()
