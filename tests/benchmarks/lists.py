"""Lists do not slow down as the table grows: 1,000 rows against 1,000,000.

Both tables live in one database, in a schema each, and are asked in turn through Django's whole
stack (sign-in, queries, JSON or HTML). A round's value is the p95 of its requests.
"""

import html
import re
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urljoin

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client

from renders.models import Batch, Render, Template
from renders.services.api_keys import create_api_key
from tests.benchmarks import fill
from tests.benchmarks.table import conclude, ratio, rounds, say, show

SIZES = (1_000, 1_000_000)
ROUNDS = 15  # many short ones, so that a busy moment of the machine spoils few
REQUESTS = 20
LIMIT = 3
ADMIN = "/admin/renders/render/"
LISTS = {
    # what it is called: who asks, for what, and whether its next page is meant
    "list": ("staff", "/api/renders/", False),
    "list, next page": ("staff", "/api/renders/", True),
    "list, failed": ("staff", "/api/renders/?status=failed", False),
    "list of an owner": ("owner0", "/api/renders/", False),
    "list of an owner, failed": ("owner0", "/api/renders/?status=failed", False),
    "list of an owner with few": (fill.RARE_OWNER, "/api/renders/", False),
    "list of an owner with few, failed": (fill.RARE_OWNER, "/api/renders/?status=failed", False),
    **{
        f"{name}, {what}": (user, f"/api/renders/?{query}", False)
        for name, user in (("list", "staff"), ("list of an owner", "owner0"))
        for what, query in {
            "failed or cancelled": "status=failed,cancelled",
            "all statuses": "status=queued,submitting,rendering,succeeded,failed,cancelled",
            "a template": f"template={fill.TEMPLATE}",
            "an external id": "externalId=order-4",
            "stalled": "stalled=true",
            "this month": "createdAfter={month}",
            "ended this month": "finishedAfter={month}",
            "ended before this month": "finishedBefore={month}",
        }.items()
    },
    "list of an owner, stills": ("owner0", "/api/renders/?kind=still", False),
    "list of an owner, metadata": ("owner0", "/api/renders/?metadata=shop:shop4", False),
    "list of an owner, metadata, next page": ("owner0", "/api/renders/?metadata=shop:shop4&pageSize=1", True),
    "list, failed or cancelled, next page": ("staff", "/api/renders/?status=failed,cancelled&pageSize=5", True),
    "list, a batch": ("staff", "/api/renders/?batch={batch}", False),
    "list, failed of a batch": ("staff", "/api/renders/?batch={batch}&status=failed", False),
    "admin": ("staff", ADMIN, False),
    "admin, next page": ("staff", ADMIN, True),
    "admin, failed": ("staff", f"{ADMIN}?status__exact=failed", False),
    "admin, timed out": ("staff", f"{ADMIN}?failure_reason__exact=timed_out", False),
    "admin, this month": ("staff", f"{ADMIN}?created_at__gte={{month}}", False),
    **{
        f"admin, {what}": ("staff", f"{ADMIN}?{query}", False)
        for what, query in {
            "active": "tab=active",
            "needs attention": "tab=attention",
            "failed today": "tab=failed-today",
            "an owner": "owner__id__exact={owner}",
            "an owner with few": "owner__id__exact={rare}",
            "failed of an owner": "owner__id__exact={owner}&status__exact=failed",
            "a template": "template__id__exact={template}",
            "a day": "created_from={day}&created_to={day}",
            "find an owner": f"q={fill.RARE_OWNER}",
            "find the beginning of owners": "q=own",
            "find one render": "q={render_id}",
            "find the beginning of a renderId": "q={render_id:.6}",
            "find the beginning of our id": "q={id:.8}",
            "find a rare word": "q=topic17",
            "find a word of all": "q=blue",
            "find a word of errors": "q=boom",
            "find a word of all, failed": "q=blue&status__exact=failed",
            "find a rare word, failed": "q=topic17&status__exact=failed",
            "find no word": "q=nonsense",
        }.items()
    },
}


class Table:
    """The service on a table of so many rows, and callers that are signed in."""

    def __init__(self, size: int) -> None:
        self.schema = f"rows_{size}"
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE SCHEMA {self.schema}")
        self.select()
        call_command("migrate", verbosity=0)
        began = time.monotonic()
        fill.fill(size)
        say(f"{size:,} rows: filled in {time.monotonic() - began:.0f} s, {fill.sizes()}")
        self.clients = {user.username: self.client(user) for user in User.objects.all()}

    def select(self) -> None:
        """From now on, queries mean this table."""
        with connection.cursor() as cursor:
            cursor.execute(f"SET search_path TO {self.schema}")

    def client(self, user: User) -> Client:
        _, key = create_api_key(user=user, name="benchmark")
        client = Client(headers={"Authorization": f"Bearer {key}", "Host": "localhost"})
        client.force_login(user)
        return client

    def address(self, user: str, path: str, is_next: bool) -> str:
        month = Render.objects.values_list("created_at", flat=True)[0].strftime("%Y-%m-01T00:00:00Z")
        some = Render.objects.filter(status="failed")[5]
        users = dict(User.objects.values_list("username", "pk"))
        path = path.format(
            month=month,
            day=some.created_at.strftime("%Y-%m-%d"),
            render_id=some.render_id,
            id=str(some.pk),
            batch=Batch.objects.values_list("pk", flat=True)[0],
            owner=users["owner0"],
            rare=users[fill.RARE_OWNER],
            template=some.template_id or Template.objects.get().pk,
        )
        if not is_next:
            return path
        page = self.clients[user].get(path).content.decode()
        link = re.search(r'"next":"(.+?)"', page) or re.search(r'href="([^"]+)"[^>]*>\s*Older', page)
        assert link, path
        return urljoin(path, html.unescape(link[1]))

    def p95(self, user: str, path: str) -> float:
        """Of so many requests, in milliseconds."""
        self.select()
        get = self.clients[user].get
        times = []
        for _ in range(REQUESTS):
            began = time.perf_counter()
            response = get(path)
            times.append((time.perf_counter() - began) * 1000)
            assert response.status_code == 200, (path, response.status_code)
        return statistics.quantiles(times, n=20)[-1]

    def explain(self, user: str, path: str) -> None:
        """Prints the plan of each query on the renders that a request makes."""
        self.select()
        queries: list[tuple[str, Any]] = []

        def note(execute: Callable[..., Any], query: str, params: Any, many: bool, context: Any) -> Any:
            if 'FROM "renders_render"' in query:
                queries.append((query, params))
            return execute(query, params, many, context)

        with connection.execute_wrapper(note):
            self.clients[user].get(path)
        for query, params in queries:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {query}", params)
                say("\n".join(f"    {line}" for (line,) in cursor.fetchall()))


def run() -> bool:
    small, large = (Table(size) for size in SIZES)
    contenders: dict[str, Callable[[], float]] = {}
    against = {}
    for name, (user, path, is_next) in LISTS.items():
        names = [f"{name}: {size:,} rows" for size in SIZES]
        against[names[1]] = names[0]
        for called, table in zip(names, (small, large), strict=True):
            table.select()
            contenders[called] = partial(table.p95, user, table.address(user, path, is_next))
    for name, (user, path, is_next) in LISTS.items():
        large.select()
        address = large.address(user, path, is_next)
        say(f"\n{name}: GET {address}")
        large.explain(user, address)
    say()
    results = rounds(contenders, ROUNDS)
    show(results, unit="p95, ms", against=against)
    worst = max(against, key=lambda name: ratio(results, name, against[name]))
    figure = f"p95 with {SIZES[1]:,} rows over p95 with {SIZES[0]:,}, the worst list ({worst.partition(':')[0]})"
    return conclude(figure, ratio(results, worst, against[worst]), at_most=LIMIT)
