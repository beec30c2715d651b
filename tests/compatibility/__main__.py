"""Does this service work with the functions of these versions of Remotion?

``python -m tests.compatibility 4.0.403 4.0.527`` installs the function of each version under
``.sandbox/versions/``, tries it in the sandbox, and prints the table of docs/remotion-versions.md.
Ends with status 1 if a version does not do what it should.
"""

import argparse
import os
import signal
import sys
from importlib import import_module

import django


def main() -> None:
    parser = argparse.ArgumentParser(description="Tries this service with functions of several versions of Remotion.")
    parser.add_argument("versions", nargs="+", metavar="VERSION", help="A version that npm has, such as 4.0.403.")
    options = parser.parse_args()

    os.environ["RENDERHUB_ENV_FILE"] = os.devnull
    os.environ["DJANGO_SETTINGS_MODULE"] = "renderhub.settings"
    django.setup()
    # Only now, because its modules import settings.
    import_module("tests.compatibility.run").run(options.versions)


if __name__ == "__main__":
    # So that SIGTERM, too, ends the processes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    main()
