"""The dashboard adds up counts, and reads no renders but the active ones: with 1,000,000 rows, and much use.

The admin's index through Django's whole stack, with 2,000 owners who each used something on every day of a year,
200,000 webhook messages and as many deliveries. A round's value is the p95 of its requests.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from renders.models import UsageDay, WorkerHeartbeat
from tests.benchmarks import fill
from tests.benchmarks.table import conclude, rounds, say, show

RENDERS = 1_000_000
OWNERS = 2_000
MESSAGES = 200_000
ROUNDS = 15
REQUESTS = 20
LIMIT_MS = 300
PAGES = {
    "dashboard": "/admin/",
    "dashboard, a month": "/admin/?month={month}",
    "dashboard, an owner": "/admin/?month={month}&owner=owner1",
    "dashboard, what is asked every few seconds": "/admin/now/",
}
USAGE = """
INSERT INTO renders_usageday (
    day, owner_id, template, region, currency, renders, succeeded, failed, cancelled, video_seconds, function_seconds,
    cost
)
SELECT (finished_at AT TIME ZONE 'UTC')::date, owner_id, coalesce(name, ''), region, currency, count(*),
    count(*) FILTER (WHERE status = 'succeeded'), count(*) FILTER (WHERE status = 'failed'),
    count(*) FILTER (WHERE status = 'cancelled'), 5 * count(*) FILTER (WHERE status = 'succeeded'), 30 * count(*),
    coalesce(sum(cost), 0)
FROM renders_render LEFT JOIN renders_template ON renders_template.id = template_id
WHERE finished_at IS NOT NULL GROUP BY 1, 2, 3, 4, 5
"""
MORE_USAGE = """
INSERT INTO renders_usageday (
    day, owner_id, template, region, currency, renders, succeeded, failed, cancelled, video_seconds, function_seconds,
    cost
)
SELECT current_date - age, auth_user.id, '', 'us-east-1', 'USD', 3, 2, 1, 0, 10, 60, 0.002
FROM generate_series(0, 364) AS age, auth_user WHERE username LIKE 'customer%%'
"""
ENDS = """
INSERT INTO renders_endcount (day, status, failure_reason, time_bucket, renders)
SELECT (finished_at AT TIME ZONE 'UTC')::date, status, failure_reason,
    CASE WHEN status = 'succeeded' THEN 20 + mod(abs(hashtext(id::text)), 60) ELSE -1 END, count(*)
FROM renders_render WHERE finished_at IS NOT NULL GROUP BY 1, 2, 3, 4
"""
ENDPOINTS = """
INSERT INTO renders_webhookendpoint (
    id, owner_id, url, description, events, enabled, disabled_reason, failing_since, secret_version, created_at
)
SELECT gen_random_uuid(), id, 'https://hooks.example/' || id, '', '[]', true, '',
    CASE WHEN mod(id, 50) = 0 THEN now() END, 1, now()
FROM auth_user WHERE username LIKE 'customer%%'
"""
MESSAGE_ROWS = """
WITH endpoints AS (SELECT id, row_number() OVER () AS number, count(*) OVER () AS total FROM renders_webhookendpoint)
INSERT INTO renders_webhookmessage (
    endpoint_id, event_id, render_id, url, type, status, attempt_count, next_attempt_at, created_at, finished_at
)
SELECT endpoints.id, NULL, NULL, 'https://hooks.example/', 'render.succeeded',
    CASE WHEN age < 2000 THEN 'pending' WHEN mod(age, 20) = 3 THEN 'failed' ELSE 'delivered' END, 1,
    now() + interval '1 hour', now() - age * interval '10 s',
    CASE WHEN age >= 2000 THEN now() - age * interval '10 s' END
FROM generate_series(1, %(count)s) AS age JOIN endpoints ON endpoints.number = mod(age, endpoints.total) + 1
"""
ATTEMPT_ROWS = """
INSERT INTO renders_webhookattempt (message_id, at, duration_ms, status_code, answer, error)
SELECT id, created_at, 80, 200, '', CASE WHEN status = 'failed' THEN 'It answered 500.' ELSE '' END
FROM renders_webhookmessage
"""
DELIVERIES = """
INSERT INTO renders_webhookdelivery (received_at, headers, body, render_id, is_processed, error)
SELECT now() - age * interval '5 s', '{}', repeat('x', 500), 'r' || age, mod(age, 1000) <> 7, ''
FROM generate_series(1, %(count)s) AS age
"""


def fill_statistics(*, owners: int, messages: int) -> None:
    """Add what the dashboard reads beside the renders that there are. PostgreSQL only."""
    User.objects.bulk_create(User(username=f"customer{number}") for number in range(owners))
    WorkerHeartbeat.objects.create(host="worker-1", pid=1)
    statements = (USAGE, MORE_USAGE, ENDS, ENDPOINTS, MESSAGE_ROWS, ATTEMPT_ROWS, DELIVERIES)
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, {"count": messages})
        cursor.execute("VACUUM ANALYZE")


def p95(client: Client, path: str) -> float:
    """Of so many requests, in milliseconds."""
    times = []
    for _ in range(REQUESTS):
        began = time.perf_counter()
        response = client.get(path)
        times.append((time.perf_counter() - began) * 1000)
        assert response.status_code == 200, (path, response.status_code)
    return statistics.quantiles(times, n=20)[-1]


def run() -> bool:
    call_command("migrate", verbosity=0)
    began = time.monotonic()
    fill.fill(RENDERS)
    fill_statistics(owners=OWNERS, messages=MESSAGES)
    say(f"{RENDERS:,} renders, {UsageDay.objects.count():,} totals of days: {time.monotonic() - began:.0f} s")
    client = Client(headers={"Host": "localhost"})
    client.force_login(User.objects.get(username="staff"))
    month = f"{timezone.now():%Y-%m}"
    paths = {name: path.format(month=month) for name, path in PAGES.items()}
    for name, path in paths.items():
        _tell_queries(client, name, path)
    contenders: dict[str, Callable[[], float]] = {name: partial(p95, client, path) for name, path in paths.items()}
    results = rounds(contenders, ROUNDS)
    show(results, unit="p95, ms", against={})
    worst = max(results, key=lambda name: statistics.median(results[name]))
    value = statistics.median(results[worst])
    return conclude(f"p95 in ms of the slowest ({worst}) with {RENDERS:,} rows", value, at_most=LIMIT_MS)


def _tell_queries(client: Client, name: str, path: str) -> None:
    """Print how long each query of a page takes, the slowest first."""
    took: list[tuple[float, str]] = []

    def note(execute: Callable[..., object], sql: str, params: object, many: bool, context: object) -> object:
        began = time.perf_counter()
        answer = execute(sql, params, many, context)
        took.append(((time.perf_counter() - began) * 1000, sql))
        return answer

    client.get(path)
    with connection.execute_wrapper(note):
        client.get(path)
    say(f"\n{name}: GET {path}, {len(took)} queries, {sum(ms for ms, _ in took):.1f} ms; the slowest:")
    for ms, sql in sorted(took, reverse=True)[:5]:
        say(f"  {ms:7.1f} ms  {sql[:160]}")
