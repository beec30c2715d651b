"""How soon a row knows: from `postRenderData` on S3 to `succeeded`, in the sandbox, on Remotion's real function.

By poll there is a worker and no webhook; by webhook there is the web process and no worker. S3
and the row are looked at every 5 ms.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.test import override_settings

from renders.models import Render
from renders.sandbox.aws import Sandbox
from renders.sandbox.network import bypass_proxies_for_loopback, free_port
from renders.sandbox.toolchain import prepare
from renders.services.create import create_render
from renders.services.render_request import RenderRequest
from tests.benchmarks.table import conclude, rounds, say, show

POLL, WEBHOOK = "by poll", "by webhook"
LOOK_SECONDS = 0.005
TIME_LIMIT_SECONDS = 120
ROUNDS = 7
INPUT_PROPS = {"code": "Measured", "durationInFrames": 30, "fps": 30}


@contextmanager
def managed(*arguments: str, **environment: str) -> Iterator[None]:
    """A ``manage.py`` process, from ``with`` to its end."""
    with subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=Path(__file__).parent.parent.parent,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield
        finally:
            process.terminate()


def wait_until(is_so: Callable[[], bool]) -> float:
    """When it was so."""
    deadline = time.monotonic() + TIME_LIMIT_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            raise SystemExit("A render of the benchmark did not end.")
        time.sleep(LOOK_SECONDS)
    return time.monotonic()


def staleness(s3: Any) -> float:
    """Seconds from the end on S3 to the end in the row, for one render."""
    render = create_render(owner=None, request=RenderRequest(input_props=INPUT_PROPS), may_wait=False).render

    def is_done_on_s3() -> bool:
        try:
            body = s3.get_object(Bucket=render.bucket_name, Key=f"renders/{render.render_id}/progress.json")["Body"]
            return json.loads(body.read())["postRenderData"] is not None
        except (s3.exceptions.ClientError, ValueError):
            return False

    def is_done() -> bool:
        return Render.objects.only("status").get(pk=render.pk).status == Render.Status.SUCCEEDED

    on_s3 = wait_until(is_done_on_s3)
    return max(0.0, wait_until(is_done) - on_s3)


def run() -> bool:
    bypass_proxies_for_loopback()
    call_command("migrate", verbosity=0)
    with Sandbox(prepare(say)) as sandbox:
        url = f"http://127.0.0.1:{free_port(0)}"
        settings = sandbox.settings()
        webhook = {"REMOTION_WEBHOOK_URL": f"{url}/api/lambda/webhook", "REMOTION_WEBHOOK_SECRET": "measured"}
        environment = {name: str(value) for name, value in settings.items()}
        # One thread that keeps its connection to the database, as the threads of a production server do.
        web = ("runserver", "--noreload", "--nothreading", "--skip-checks", url.removeprefix("http://"))
        s3 = sandbox.s3()

        def by_poll() -> float:
            with override_settings(**settings), managed("render_worker", **environment):
                return staleness(s3)

        def by_webhook() -> float:
            with override_settings(**{**settings, **webhook}):
                return staleness(s3)

        with managed(*web, **{**environment, **webhook}):
            by_webhook()  # browsers and web process are cold
            results = rounds({POLL: by_poll, WEBHOOK: by_webhook}, count=ROUNDS)
    show(results, unit="seconds", against={})
    is_met = [
        conclude("Seconds by webhook", statistics.median(results[WEBHOOK]), at_most=0.3),
        conclude("Seconds by poll", statistics.median(results[POLL]), at_most=1.5),
    ]
    return all(is_met)
