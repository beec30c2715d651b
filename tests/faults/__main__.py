"""A fault matrix on Remotion's real function: is any render doubled, lost or left unconfirmed?

``python -m tests.faults --seed 1 --faults 200``. The service runs as in production: gunicorn with
threads, and the worker, first without the webhook and then with it. Proxies on the loopback
interface stand between it and the sandbox; they delay, reset, refuse or tear calls to Lambda and
S3, and lose, delay or repeat webhook deliveries. Besides, the web process and the worker are
killed with ``kill -9`` before a call, during it, and before its answer is saved. Every eleventh
render has 150 frames, the others one, and every seventh start is that of a still. What the function
really started is then read from its log, behind the proxies' back, and compared with the rows. Ends
with status 1 if any render is doubled, lost or unconfirmed.
"""

import argparse
import os
import signal
import sys
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
    # So that SIGTERM, too, ends the processes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    main()
