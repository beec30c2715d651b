"""The figures of docs/benchmarks.md, measured: ``python -m tests.benchmarks lists``.

Each benchmark prints its table and, on the last line, the figure that counts; the status is 1
where that is missed. All use a PostgreSQL database of their own, made anew on the server that
``DATABASE_URL`` names and dropped at the end. ``--against ../other-checkout`` runs that checkout's
benchmark too, a round of each in turn, and prints how they compare.
"""

import argparse
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import django
import psycopg
from psycopg import sql

from tests.benchmarks import against

# Each is a module with `run() -> bool`: whether its figure is met.
BENCHMARKS = {
    "create": "tests.benchmarks.create",
    "dashboard": "tests.benchmarks.dashboard",
    "lists": "tests.benchmarks.lists",
    "read": "tests.benchmarks.read",
    "refresh": "tests.benchmarks.refresh",
    "servers": "tests.benchmarks.servers",
    "staleness": "tests.benchmarks.staleness",
    "streams": "tests.benchmarks.streams",
    "workers": "tests.benchmarks.workers",
}
DATABASE = "renderhub_benchmarks"
SERVER = "postgres://postgres@127.0.0.1:5432/postgres"


@contextmanager
def own_database(server: str) -> Iterator[str]:
    """The URL of an empty database beside the one that ``server`` names."""
    name = sql.Identifier(DATABASE)
    try:
        admin = psycopg.connect(server, autocommit=True)
    except psycopg.Error as err:
        raise SystemExit(
            f"The benchmarks need PostgreSQL, and there is none at {SERVER} or where DATABASE_URL says: {err}"
        ) from err
    with admin:
        try:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(name))
            admin.execute(sql.SQL("CREATE DATABASE {}").format(name))
        except psycopg.Error as err:
            raise SystemExit(f"The database {DATABASE} cannot be made anew: {err}") from err
        try:
            yield f"{server.rpartition('/')[0]}/{DATABASE}"
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measures one figure.")
    parser.add_argument("name", choices=BENCHMARKS)
    parser.add_argument("--against", type=Path, metavar="FOLDER", help="another checkout to compare with, in turn")
    options = parser.parse_args()
    name = options.name
    if options.against:
        against.compare(name, options.against)
        return 0
    with own_database(os.environ.get("DATABASE_URL", SERVER)) as url:
        os.environ["DATABASE_URL"] = url
        os.environ["RENDERHUB_ENV_FILE"] = os.devnull
        os.environ["DJANGO_SETTINGS_MODULE"] = "renderhub.settings"
        django.setup()
        # Only now, because a benchmark's module may import models.
        is_met = import_module(BENCHMARKS[name]).run()
    return 0 if is_met else 1


if __name__ == "__main__":
    # So that SIGTERM, too, ends the processes and drops the database.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main())
