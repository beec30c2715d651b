"""A fault matrix on Remotion's real function: is any render doubled, lost or left unconfirmed?

``python -m tests.faults --seed 1 --faults 200``. Between the service and the sandbox stands a
proxy on the loopback interface that delays, resets, refuses or tears what passes; besides, the
web process and the worker are killed with ``kill -9`` before a call, during it, and before its
answer is saved. What the function really started is then read from S3, behind the proxy's back,
and compared with the rows. Ends with status 1 if any render is doubled, lost or unconfirmed.
"""

import argparse
import os
import tempfile
from importlib import import_module
from pathlib import Path

import django


def main() -> None:
    parser = argparse.ArgumentParser(description="Faults between the service and Remotion's real function.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, default=200)
    options = parser.parse_args()

    folder = Path(tempfile.mkdtemp(prefix="renderhub-faults-"))
    os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder / 'db.sqlite3'}")
    os.environ["RENDERHUB_ENV_FILE"] = os.devnull
    os.environ["DJANGO_SETTINGS_MODULE"] = "renderhub.settings"
    django.setup()
    # Only now, because its modules import models.
    import_module("tests.faults.run").run(options.faults, options.seed, folder)


if __name__ == "__main__":
    main()
