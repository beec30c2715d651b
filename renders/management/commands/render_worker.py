import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from renders.management.arguments import positive_float
from renders.operations.worker import Worker, WorkerFailed


class Command(BaseCommand):
    requires_migrations_checks = True
    help = "Starts queued renders, refreshes active ones, and finds those whose start is unconfirmed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="One round, for cron.")
        parser.add_argument(
            "--interval",
            type=positive_float,
            default=0.25,
            metavar="SECONDS",
            help="Between two looks for work (0.25).",
        )

    def handle(self, *args: Any, once: bool, interval: float, **options: Any) -> None:
        worker = Worker(interval=interval, say=self.stdout.write, complain=self.stderr.write)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: worker.stop.set())
        try:
            if once:
                worker.run_once()
            else:
                worker.run()
                self.stdout.write("Stopped.")
        except WorkerFailed as err:
            raise CommandError(str(err)) from err
