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
from renders.sandbox.aws import Sandbox
from renders.sandbox.network import free_port
from renders.sandbox.toolchain import prepare
from tests.faults.gate import Gate
from tests.faults.inject import inject
from tests.faults.kills import kill_in_calls
from tests.faults.proxy import START_TIMEOUT, Proxy
from tests.faults.report import report, say, started_renders
from tests.faults.service import Service
from tests.faults.trials import Plan, of_phase, plan_kills, plan_trials

FUNCTION_TIMEOUT = 60


def run(faults: int, seed: int, folder: Path) -> None:
    """Print the report and exit with status 1 if any render is doubled, lost or unconfirmed."""
    if "renders_render" in connection.introspection.table_names() and Render.objects.exists():
        raise SystemExit("This database has renders in it: give an empty one.")
    call_command("migrate", verbosity=0)
    trials, kills = plan_trials(faults, seed), plan_kills(faults)
    plan, gate = Plan(), Gate()
    with Sandbox(prepare(say), function_timeout=FUNCTION_TIMEOUT) as sandbox:
        port = free_port(8090)
        upstreams = {
            "lambda": sandbox.lambda_url,
            "s3": sandbox.s3_url,
            "webhook": f"http://127.0.0.1:{port}",
        }
        urls = {name: Proxy(name, upstream, plan, gate).url for name, upstream in upstreams.items()}
        settings = {**sandbox.settings(), **_settings(urls)}
        with override_settings(**settings):
            # First without the webhook: what is still rendering then needs no delivery.
            for has_webhook in (False, True):
                webhook = f"{urls['webhook']}/api/lambda/webhook" if has_webhook else ""
                service = Service(_environment(settings, webhook), port, folder)
                say(f"with{'' if has_webhook else 'out'} the webhook")
                with service.running():
                    inject(of_phase(trials, has_webhook=has_webhook), plan, service)
                    kill_in_calls(of_phase(kills, has_webhook=has_webhook), service, gate)
                    if has_webhook:
                        settle()
        is_fine = report([*trials, *kills], started_renders(sandbox.logs / "lambda.log"))
    say(f"seed {seed}; logs in {folder}")
    raise SystemExit(0 if is_fine else 1)


def _settings(urls: dict[str, str]) -> dict[str, Any]:
    return {
        "AWS_ENDPOINT_URL_LAMBDA": urls["lambda"],
        "AWS_ENDPOINT_URL_S3": urls["s3"],
        "REMOTION_START_TIMEOUT": START_TIMEOUT,
        # More than the sandbox has, so that AWS's own refusals are met too.
        "REMOTION_CONCURRENCY": 1000,
    }


def _environment(settings: dict[str, Any], webhook_url: str) -> dict[str, str]:
    return {
        **os.environ,
        **{name: str(value) for name, value in settings.items()},
        "API_ALLOW_ANONYMOUS": "true",
        "DJANGO_SECRET_KEY": secrets.token_hex(32),
        "REMOTION_WEBHOOK_URL": webhook_url,
        "REMOTION_WEBHOOK_SECRET": secrets.token_hex(32) if webhook_url else "",
    }


def settle() -> None:
    """Wait until every row is over; at most until the last unconfirmed one must be presumed lost."""
    deadline = time.monotonic() + FUNCTION_TIMEOUT * 2 + 150
    while (left := Render.objects.active().count()) and time.monotonic() < deadline:
        say(f"\r{left} rows are still active   ", end="")
        time.sleep(1)
    say()
