"""Is any webhook lost when endpoints fail and the worker is killed? ``python -m tests.webhook_faults --events 10000``.

Events are published as the service publishes them, while a worker delivers them to an endpoint that answers every
third request with 500. Five times, the worker is killed with ``kill -9`` while it sends, and started again. Retries
that come after more than a minute are made due at once. Then what has arrived is compared with what was published.
The status is 1 if a message is lost, if its signature is wrong, or if the first requests of a render's messages
have not come in the order of its events. ``DATABASE_URL`` runs it on PostgreSQL, in an empty database.
"""

import argparse
import os
import secrets
import signal
import sys
import tempfile
from importlib import import_module
from pathlib import Path

import django


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.webhook_faults", description="Faults on the way of webhooks."
    )
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=5)
    options = parser.parse_args()

    folder = Path(tempfile.mkdtemp(prefix="renderhub-webhook-faults-"))
    os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder / 'db.sqlite3'}")
    os.environ |= {
        "RENDERHUB_ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "renderhub.settings",
        "DJANGO_SECRET_KEY": secrets.token_hex(32),
        "WEBHOOK_ALLOW_PRIVATE": "true",
    }
    django.setup()
    # Only now, because its modules import models.
    run = import_module("tests.webhook_faults.run").run
    sys.exit(0 if run(events=options.events, kills=options.kills, folder=folder) else 1)


if __name__ == "__main__":
    # So that SIGTERM, too, ends the worker.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    main()
