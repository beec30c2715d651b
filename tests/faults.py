"""A fault matrix on Remotion's real function: is any render doubled, lost or left in doubt?

``python -m tests.faults --seed 1 --faults 200``. Between the service and the sandbox stands a
proxy on the loopback interface that delays, resets, refuses or tears what passes; besides, the
web process and the worker are killed with ``kill -9`` before a call, during it, and before its
answer is saved. What the function really started is then read from S3, behind the proxy's back,
and compared with the rows. Ends with status 1 if any render is doubled, lost or in doubt.
"""

import argparse
import http.client
import itertools
import json
import os
import random
import secrets
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django
from django.utils import timezone

START_TIMEOUT = 4
FUNCTION_TIMEOUT = 30
PACE = 1.0
"""Seconds between two trials: about what two cores render."""
LAMBDA_FAULTS = (
    "delay",
    "reset before forwarding",
    "reset after forwarding",
    "torn body",
    "429",
    "500 before forwarding",
    "500 after forwarding",
    "403",
)
S3_FAULTS = ("delay", "reset before forwarding", "torn body", "500 before forwarding", "403")
KILLS = ("before the call", "during the call", "before the save")
WAYS = ("web", "worker")
TABLE = "{:8}{:34}{:>9}{:>9}{:>6}{:>9}{:>6}{:>10}"


@dataclass
class Trial:
    """One fault on the way of one render."""

    number: int
    way: str
    service: str
    fault: str
    injected: int = 0

    @property
    def mark(self) -> str:
        """Words that the trial's requests carry, so that the proxy knows them."""
        return f"Trial {self.number:04d}"


@dataclass
class Plan:
    """Which fault the proxy injects into whose requests."""

    trials: dict[str, Trial] = field(default_factory=dict)
    by_render: dict[str, Trial] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fault_of(self, service: str, path: str, body: bytes) -> str:
        with self.lock:
            trial = self._trial(service, path, body)
            # A start meets its fault once; a reading three times, since it is repeated anyway.
            if trial is None or trial.service != service or trial.injected >= (1 if service == "lambda" else 3):
                return ""
            trial.injected += 1
            return trial.fault

    def learn(self, body: bytes, reply: bytes) -> None:
        """Remembers which render belongs to which trial, from the reply to its start."""
        trial = self._trial("lambda", "", body)
        try:
            render_id = json.loads(reply)["renderId"]
        except (ValueError, KeyError):
            return
        if trial:
            self.by_render[render_id] = trial

    def _trial(self, service: str, path: str, body: bytes) -> Trial | None:
        if service == "lambda":
            return next((trial for mark, trial in self.trials.items() if mark.encode() in body), None)
        parts = path.split("/")
        return self.by_render.get(parts[3]) if len(parts) > 3 and path.endswith("progress.json") else None


class Gate:
    """Stops the start that carries the mark at one of its stages, until the harness lets it go on."""

    def __init__(self) -> None:
        self.stage, self.mark = "", b""
        self.reached = threading.Event()
        self.go_on = threading.Event()

    def arm(self, stage: str, mark: str) -> None:
        self.stage, self.mark = stage, mark.encode()
        self.reached.clear()
        self.go_on.clear()

    def pass_through(self, stage: str, body: bytes) -> None:
        if self.stage != stage or self.mark not in body:
            return
        self.stage = ""
        self.reached.set()
        self.go_on.wait(60)


class Proxy(ThreadingHTTPServer):
    """Forwards to ``upstream`` what no fault is planned for."""

    daemon_threads = True

    def __init__(self, service: str, upstream: str, plan: Plan, gate: Gate) -> None:
        super().__init__(("127.0.0.1", 0), ProxyHandler)
        self.service, self.plan, self.gate = service, plan, gate
        self.upstream = urlsplit(upstream)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: Any) -> None:
        """Callers that are gone are what this is about."""


class ProxyHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        is_start = self.server.service == "lambda"
        fault = self.server.plan.fault_of(self.server.service, self.path, body)
        if is_start:
            self.server.gate.pass_through("before the call", body)
            if self.is_caller_gone():
                return self.reset()
        if fault == "reset before forwarding":
            return self.reset()
        if fault in ("429", "403") or fault == "500 before forwarding":
            return self.refuse(int(fault[:3]))
        status, headers, answer = self.forward(body)
        if is_start:
            self.server.plan.learn(body, answer)
            self.server.gate.pass_through("during the call", body)
        if fault == "delay":
            time.sleep((START_TIMEOUT if is_start else 5) + 1)
        if fault == "reset after forwarding":
            return self.reset()
        if fault == "500 after forwarding":
            return self.refuse(500)
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("connection", "transfer-encoding", "content-length", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer[: len(answer) // 2] if fault == "torn body" else answer)
        self.close_connection = fault == "torn body"
        return None

    do_GET = do_HEAD = do_POST = do_PUT = handle_any  # noqa: N815

    def is_caller_gone(self) -> bool:
        """Whether the caller has closed the connection, as the end of its process does."""
        try:
            return self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        upstream = http.client.HTTPConnection(str(self.server.upstream.hostname), self.server.upstream.port, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
        upstream.request(self.command, self.path, body, headers)
        response = upstream.getresponse()
        answer = response.read()
        upstream.close()
        return response.status, response.getheaders(), answer

    def refuse(self, status: int) -> None:
        code = {429: "TooManyRequestsException", 403: "AccessDeniedException", 500: "ServiceException"}[status]
        if self.server.service == "s3":
            answer = f"<Error><Code>{'AccessDenied' if status == 403 else 'InternalError'}</Code></Error>".encode()
        else:
            answer = json.dumps({"Type": "User", "message": "No."}).encode()
        self.send_response(status)
        self.send_header("X-Amzn-ErrorType", code)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    def reset(self) -> None:
        # Closing with a linger of nothing sends RST.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


class Service:
    """The web process and the worker, which can be killed and started again."""

    def __init__(self, environment: dict[str, str], port: int, logs: Path) -> None:
        self.environment, self.port, self.logs = environment, port, logs
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, name: str) -> None:
        arguments = {
            "web": ["runserver", "--noreload", "--skip-checks", f"127.0.0.1:{self.port}"],
            "worker": ["render_worker", "--interval", "0.5"],
        }[name]
        log = (self.logs / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=Path(__file__).parent.parent,
            env=self.environment,
            stdout=log,
            stderr=log,
        )
        log.close()
        if name == "web":
            self._wait()

    def _wait(self) -> None:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{self.url}/admin/login/", timeout=5).close()  # noqa: S310
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise SystemExit(f"The web process did not start; see {self.logs}.")

    def kill(self, name: str) -> None:
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait()

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(30)

    def post(self, path: str, mark: str) -> int:
        """The status of a request to render one frame; 0 where there was no answer."""
        body = json.dumps({"inputProps": {"code": mark, "durationInFrames": 1, "fps": 30}}).encode()
        request = urllib.request.Request(  # noqa: S310
            f"{self.url}{path}", data=body, headers={"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
                return int(response.status)
        except urllib.error.HTTPError as err:
            return err.code
        except OSError:
            return 0

    def post_until(self, is_done: Callable[[], bool], path: str, mark: str) -> None:
        """Asks again where there is no room, as a client would."""
        while self.post(path, mark) == 429 and not is_done():
            time.sleep(0.5)


def plan_trials(count: int, seed: int) -> list[Trial]:
    """Every fault on every way, over and over, in an order that the seed decides."""
    kinds = [("lambda", fault) for fault in LAMBDA_FAULTS] + [("s3", fault) for fault in S3_FAULTS]
    matrix = [(way, service, fault) for service, fault in kinds for way in WAYS]
    trials = [Trial(number, *kind) for number, kind in zip(range(count), itertools.cycle(matrix), strict=False)]
    random.Random(seed).shuffle(trials)
    return trials


def queue(mark: str, *, first: bool = False) -> None:
    """A row that waits for the worker, as POST /api/renders/ leaves it where there is no room."""
    from renders.models import Render  # noqa: PLC0415  (after django.setup)
    from renders.remotion.options import CODEC, FRAMES_PER_LAMBDA, RenderOptions  # noqa: PLC0415
    from renders.remotion.target import LambdaTarget  # noqa: PLC0415
    from renders.services.dispatch import configuration  # noqa: PLC0415

    Render.objects.create(
        **configuration(LambdaTarget.from_settings(), RenderOptions.from_settings()),
        status=Render.Status.QUEUED,
        input_props={"code": mark, "durationInFrames": 1, "fps": 30},
        frames_per_lambda=FRAMES_PER_LAMBDA,
        codec=CODEC,
        slots_needed=2,
        queue_rank=timezone.now() - timedelta(days=int(first)),
    )


def inject(trials: list[Trial], plan: Plan, service: Service) -> None:
    """Sends the trials' requests, one after the other."""

    def run(trial: Trial) -> None:
        plan.trials[trial.mark] = trial
        if trial.way == "worker":
            queue(trial.mark)
        else:
            # The two addresses take turns; where there is no room, as a client would, again.
            path = "/api/lambda/render" if trial.number % 4 < 2 else "/api/renders/"
            service.post_until(lambda: bool(trial.injected), path, trial.mark)

    with ThreadPoolExecutor(16) as callers:
        sent = []
        for trial in trials:
            sent.append(callers.submit(run, trial))
            say(f"\r{len(sent)} of {len(trials)} faults sent", end="")
            time.sleep(PACE)
    for call in sent:
        call.result()
    say()


def kill_in_calls(service: Service, gate: Gate, block_saves: Callable[[], Any]) -> None:
    """``kill -9`` of each process at each stage of a call."""
    for name, stage in itertools.product(WAYS, KILLS):
        mark = f"Killed {name} {stage}"
        gate.arm("during the call" if stage == "before the save" else stage, mark)
        if name == "web":
            arguments = (gate.reached.is_set, "/api/lambda/render", mark)
            caller = threading.Thread(target=service.post_until, args=arguments)
            caller.start()
        else:
            queue(mark, first=True)
        if not gate.reached.wait(60):
            raise SystemExit(f"No call came to be killed {stage}.")
        if stage == "before the save":
            with block_saves():
                # The answer has arrived, and the row cannot take it.
                gate.go_on.set()
                time.sleep(1)
                service.kill(name)
        else:
            service.kill(name)
            gate.go_on.set()
        service.start(name)


def started_renders(s3: Any, bucket: str) -> dict[str, str]:
    """What the function really started: renderId → output name, from S3 behind the proxy's back."""
    from renders.models import Render  # noqa: PLC0415  (after django.setup)

    known = {row.render_id: row.out_name for row in Render.objects.exclude(render_id="")}
    found: dict[str, str] = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="renders/"):
        for item in page.get("Contents", []):
            if item["Key"].endswith("/progress.json"):
                render_id = item["Key"].split("/")[1]
                progress = json.loads(s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read())
                # One that failed before its metadata was written carries no mark: see who knows it.
                marked = (progress["renderMetadata"] or {}).get("outName")
                found[render_id] = marked or known.get(render_id, f"unmarked {render_id}")
    return found


def report(trials: list[Trial], started: dict[str, str]) -> bool:
    """Prints the table; whether nothing is doubled, lost or in doubt.

    ``started`` are renders of the function, ``rows`` those that say which of them is theirs.
    """
    from renders.models import Render  # noqa: PLC0415  (after django.setup)

    rows = {render.out_name: render for render in Render.objects.all()}
    times = Counter(started.values())
    doubled = {name for name, count in times.items() if count > 1}
    lost = {render_id for render_id, name in started.items() if name not in rows or rows[name].render_id != render_id}
    in_doubt = {name for name, row in rows.items() if not row.is_terminal}
    of_mark = {row.input_props["code"]: name for name, row in rows.items()}
    say(TABLE.format("way", "fault", "injected", "started", "rows", "doubled", "lost", "in doubt"))
    lines: dict[tuple[str, str], list[set[str]]] = {}
    injected: Counter[tuple[str, str]] = Counter()
    for trial in trials:
        key = (trial.way, f"{trial.service}: {trial.fault}")
        injected[key] += trial.injected
        lines.setdefault(key, []).append({of_mark[trial.mark]} if trial.mark in of_mark else set())
    for way in WAYS:
        for stage in KILLS:
            mark = f"Killed {way} {stage}"
            injected[way, f"kill -9 {stage}"] += 1
            lines[way, f"kill -9 {stage}"] = [{of_mark[mark]} if mark in of_mark else set()]
    for (way, fault), sets in sorted(lines.items()):
        names = set().union(*sets)
        said = sum(bool(rows[name].render_id) for name in names)
        counts = [sum(times[name] for name in names), said, len(names & doubled)]
        counts += [sum(started[render_id] in names for render_id in lost), len(names & in_doubt)]
        say(TABLE.format(way, fault, injected[way, fault], *counts))
    total = sum(injected.values())
    said = sum(bool(row.render_id) for row in rows.values())
    say(TABLE.format("all", "", total, len(started), said, len(doubled), len(lost), len(in_doubt)))
    for render_id in sorted(lost):
        say(f"lost: {render_id} {started[render_id]} {rows.get(started[render_id])}")
    return not (doubled or lost or in_doubt)


def say(text: str = "", end: str = "\n") -> None:
    sys.stdout.write(text + end)
    sys.stdout.flush()


@contextmanager
def blocked_saves() -> Iterator[None]:
    """No other process can save a row meanwhile."""
    from django.db import connection, transaction  # noqa: PLC0415  (after django.setup)

    with transaction.atomic():
        if connection.vendor == "postgresql":
            connection.cursor().execute("LOCK TABLE renders_render IN EXCLUSIVE MODE")
        yield


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
    run(options.faults, options.seed, folder)


def run(faults: int, seed: int, folder: Path) -> None:
    from django.core.management import call_command  # noqa: PLC0415  (after django.setup)
    from django.test.utils import override_settings  # noqa: PLC0415

    from renders.models import Render  # noqa: PLC0415
    from renders.sandbox.aws import Sandbox  # noqa: PLC0415
    from renders.sandbox.network import free_port  # noqa: PLC0415
    from renders.sandbox.toolchain import BUCKET, prepare  # noqa: PLC0415

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
                kill_in_calls(service, gate, blocked_saves)
                settle()
            finally:
                service.stop()
            is_fine = report(trials, started_renders(sandbox.s3(), BUCKET))
    say(f"seed {seed}; logs in {folder}")
    raise SystemExit(0 if is_fine else 1)


def settle() -> None:
    """Waits until every row is over, at most until the last that nobody knows of must be lost."""
    from renders.models import Render  # noqa: PLC0415  (after django.setup)

    deadline = time.monotonic() + FUNCTION_TIMEOUT * 2 + 150
    while (left := Render.objects.active().count()) and time.monotonic() < deadline:
        say(f"\r{left} rows are still active   ", end="")
        time.sleep(1)
    say()


def _tables() -> list[str]:
    from django.db import connection  # noqa: PLC0415  (after django.setup)

    return connection.introspection.table_names()


if __name__ == "__main__":
    main()
