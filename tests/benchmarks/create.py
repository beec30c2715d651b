"""A start costs no more CPU through the service than through the official client alone.

The service is a web process of its own on PostgreSQL, asked over HTTP with an API key, one request
after the other; the official client is a process of its own, as its users run it. Both call a
Lambda in a third process that answers at once. What is compared is the user and system time of
the first two, per start.
"""

import http.client
import json
import subprocess
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import psutil
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from renders.models import Render
from renders.remotion.target import function_name
from renders.sandbox.network import bypass_proxies_for_loopback, free_port
from renders.services.api_keys import create_api_key
from tests.benchmarks import tls
from tests.benchmarks.processes import started
from tests.benchmarks.table import conclude, ratio, rounds, show
from tests.factories import INPUT_PROPS

WARM_UP = 50
STARTS = 100
REGION = "us-east-1"
FUNCTION = function_name(3009, 10_240, 240)
OURS = "POST /api/lambda/render"
OFFICIAL = "render_media_on_lambda"
SETTINGS = {
    "REMOTION_FUNCTION_NAME": FUNCTION,
    "REMOTION_SITE_NAME": "renderhub",
    "REMOTION_REGION": REGION,
    "REMOTION_CONCURRENCY": "100000",
    "AWS_ACCESS_KEY_ID": "AKIATEST",
    "AWS_SECRET_ACCESS_KEY": "not-a-secret",
}


def read_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    line = process.stdout.readline().strip()
    if not line:
        raise SystemExit(f"A process of the benchmark ended: {process.args!r}")
    return line


def cpu_seconds(process: "subprocess.Popen[str]") -> float:
    times = psutil.Process(process.pid).cpu_times()
    return times.user + times.system


class Official:
    """A process with the official client."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def start(self, count: int) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        read_line(self.process)


class Service:
    """The web process, and a caller with an API key who keeps the connection."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self.process = process
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        user, _ = User.objects.get_or_create(username="ada")
        _, key = create_api_key(user=user, name="benchmark")
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self.wait()

    def wait(self) -> None:
        for _ in range(600):
            try:
                self.connection.connect()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise SystemExit("The web process did not start.")

    def start(self, count: int) -> None:
        body = json.dumps({"inputProps": INPUT_PROPS})
        for _ in range(count):
            self.connection.request("POST", "/api/lambda/render", body, self.headers)
            response = self.connection.getresponse()
            answer = response.read()
            assert response.status == 200, answer

    def end_renders(self) -> None:
        """As if they had succeeded, so that as few are active as a service has."""
        Render.objects.active().update(status=Render.Status.SUCCEEDED, finished_at=timezone.now())


def cpu_of(contender: Official | Service) -> float:
    """Milliseconds of CPU for a start."""
    before = cpu_seconds(contender.process)
    contender.start(STARTS)
    spent = cpu_seconds(contender.process) - before
    if isinstance(contender, Service):
        contender.end_renders()
    return spent / STARTS * 1000


def run() -> bool:
    bypass_proxies_for_loopback()
    call_command("migrate", verbosity=0)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        contenders: dict[str, Official | Service] = {}
        tls.make(Path(folder))
        for wire, arguments in {"TLS": ["", folder], "plain HTTP": []}.items():
            stub = stack.enter_context(started("-m", "tests.benchmarks.stub", *arguments, **{}))
            environment = {**SETTINGS, "AWS_ENDPOINT_URL_LAMBDA": read_line(stub)}
            if arguments:
                environment["AWS_CA_BUNDLE"] = f"{folder}/{tls.AUTHORITY}"
            official = ("-m", "tests.benchmarks.official", REGION, FUNCTION, json.dumps(INPUT_PROPS))
            contenders[f"{OFFICIAL}, {wire}"] = Official(stack.enter_context(started(*official, **environment)))
            port = free_port(0)
            web = ("manage.py", "runserver", "--noreload", "--skip-checks", str(port))
            contenders[f"{OURS}, {wire}"] = Service(stack.enter_context(started(*web, **environment)), port)
        for contender in contenders.values():
            contender.start(WARM_UP)
        results = rounds({name: partial(cpu_of, contender) for name, contender in contenders.items()})
    against = {f"{OURS}, {wire}": f"{OFFICIAL}, {wire}" for wire in ("TLS", "plain HTTP")}
    show(results, unit="CPU, ms/start", against=against)
    figure = "CPU of a start through the service over the official client's, both with TLS as AWS has it"
    return conclude(figure, ratio(results, *next(iter(against.items()))), at_most=1)
