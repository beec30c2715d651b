import signal
from typing import Any

from django.core.management.base import CommandError, CommandParser

from renders.management.arguments import positive_float
from renders.management.base import DatabaseCommand
from renders.operations.worker import INTERVAL_SECONDS, POSTGRESQL_INTERVAL_SECONDS, Worker, WorkerFailed


class Command(DatabaseCommand):
    help = "Starts queued renders, refreshes active ones, and finds those whose start is unconfirmed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="One round, for cron; status 1 if a part failed.")
        parser.add_argument(
            "--interval",
            type=positive_float,
            metavar="SECONDS",
            help=(
                f"Longest time between two looks for work: {INTERVAL_SECONDS:g} by default;"
                f" {POSTGRESQL_INTERVAL_SECONDS:g} on PostgreSQL, which also wakes the worker when a render may start."
            ),
        )

    def handle(self, *args: Any, once: bool, interval: float | None, **options: Any) -> None:
        worker = Worker(interval=interval)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: worker.stop())
        try:
            if once:
                worker.run_once()
            else:
                worker.run()
        except WorkerFailed as err:
            raise CommandError(str(err)) from err
