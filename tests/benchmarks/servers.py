"""Requests cost no more CPU under ASGI, which can also stream, than under WSGI with as many threads.

The service runs twice on PostgreSQL with 10,000 renders: on uvicorn, as docs/deployment.md has it,
and on gunicorn with threads. Sixteen clients read one render, then a page of the list. What is
compared is the user and system time of all processes of a server, per request.
"""

import http.client
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial

import psutil
from django.contrib.auth.models import User
from django.core.management import call_command

from renders.models import Render
from renders.sandbox.network import free_port
from tests.benchmarks import fill
from tests.benchmarks.create import Service
from tests.benchmarks.processes import started
from tests.benchmarks.table import conclude, ratio, rounds, show

ROWS = 10_000
CLIENTS = 16
REQUESTS = 20  # of each client, a round
WEB = {
    "uvicorn": ("uvicorn", "renderhub.asgi:application", "--no-access-log", "--log-level=warning", "--port={port}"),
    "gunicorn": (
        "gunicorn",
        "renderhub.wsgi",
        f"--threads={CLIENTS}",
        "--log-level=warning",
        "--bind=127.0.0.1:{port}",
    ),
}


def cpu_seconds(pid: int) -> float:
    server = psutil.Process(pid)
    times = [process.cpu_times() for process in (server, *server.children(recursive=True))]
    return sum(time.user + time.system for time in times)


def read(port: int, path: str, headers: dict[str, str]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for _ in range(REQUESTS):
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        answer = response.read()
        assert response.status == 200, answer
    connection.close()


def cpu_of(service: Service, port: int, path: str) -> float:
    """Milliseconds of CPU for a request."""
    before = cpu_seconds(service.process.pid)
    with ThreadPoolExecutor(CLIENTS) as clients:
        for client in [clients.submit(read, port, path, service.headers) for _ in range(CLIENTS)]:
            client.result()
    return (cpu_seconds(service.process.pid) - before) / (CLIENTS * REQUESTS) * 1000


def run() -> bool:
    call_command("migrate", verbosity=0)
    fill.fill(ROWS)
    User.objects.create_superuser("ada")
    paths = {"one render": f"/api/renders/{Render.objects.all()[0].id}/", "list of 50": "/api/renders/"}
    contenders = {}
    with ExitStack() as stack:
        ports = {name: free_port(0) for name in WEB}
        services = {}
        for name, (module, *arguments) in WEB.items():
            command = [argument.format(port=ports[name]) for argument in arguments]
            services[name] = Service(stack.enter_context(started("-m", module, *command)), ports[name])
        for what, path in paths.items():
            for name, service in services.items():
                contenders[f"{name}, {what}"] = partial(cpu_of, service, ports[name], path)
                cpu_of(service, ports[name], path)
        results = rounds(contenders)
    against = {f"uvicorn, {what}": f"gunicorn, {what}" for what in paths}
    show(results, unit="CPU, ms/request", against=against)
    worst = max(ratio(results, *pair) for pair in against.items())
    return conclude("CPU of a request on uvicorn over the same on gunicorn, the worse of both", worst, at_most=1.1)
