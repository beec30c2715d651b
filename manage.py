#!/usr/bin/env python
import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    """Run a command; where the service is not set up, print one sentence instead of a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "renderhub.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as err:
        if "--traceback" in sys.argv:
            raise
        sys.exit(str(err))


if __name__ == "__main__":
    main()
