"""One run of the matrix."""

import os
import secrets
import time
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connection
from django.test.utils import override_settings

from renders.models import Render
from renders.sandbox.stack import Sandbox, free_port
from renders.sandbox.toolchain import BUCKET, prepare
from tests.faults.gate import Gate
from tests.faults.inject import inject
from tests.faults.kills import kill_in_calls
from tests.faults.proxy import START_TIMEOUT, Proxy
from tests.faults.report import report, say, started_renders
from tests.faults.service import Service
from tests.faults.trials import Plan, plan_trials

FUNCTION_TIMEOUT = 30


def run(faults: int, seed: int, folder: Path) -> None:

    if os.environ["DATABASE_URL"].startswith("postgres") and "renders_render" in _tables() and Render.objects.exists():
        raise SystemExit("This database has renders in it: give an empty one.")
    call_command("migrate", verbosity=0)
    plan, gate = Plan(), Gate()
    trials = plan_trials(faults, seed)
    with Sandbox(prepare(say), function_timeout=FUNCTION_TIMEOUT) as sandbox:
        proxies = {
            name: Proxy(name, url, plan, gate) for name, url in (("lambda", sandbox.lambda_url), ("s3", sandbox.s3_url))
        }
        settings: dict[str, Any] = {
            **sandbox.settings(),
            "AWS_ENDPOINT_URL_LAMBDA": proxies["lambda"].url,
            "AWS_ENDPOINT_URL_S3": proxies["s3"].url,
            "REMOTION_START_TIMEOUT": START_TIMEOUT,
            # More than the sandbox has, so that AWS's own refusals are met too.
            "REMOTION_CONCURRENCY": 1000,
        }
        environment = {
            **os.environ,
            **{name: str(value) for name, value in settings.items()},
            "API_ALLOW_ANONYMOUS": "true",
            "DJANGO_SECRET_KEY": secrets.token_hex(16),
        }
        service = Service(environment, free_port(8090), folder)
        with override_settings(**settings):
            try:
                service.start("web")
                service.start("worker")
                inject(trials, plan, service)
                kill_in_calls(service, gate)
                settle()
            finally:
                service.stop()
            is_fine = report(trials, started_renders(sandbox.s3(), BUCKET))
    say(f"seed {seed}; logs in {folder}")
    raise SystemExit(0 if is_fine else 1)


def settle() -> None:
    """Waits until every row is over, at most until the last that nobody knows of must be lost."""
    deadline = time.monotonic() + FUNCTION_TIMEOUT * 2 + 150
    while (left := Render.objects.active().count()) and time.monotonic() < deadline:
        say(f"\r{left} rows are still active   ", end="")
        time.sleep(1)
    say()


def _tables() -> list[str]:
    return connection.introspection.table_names()
