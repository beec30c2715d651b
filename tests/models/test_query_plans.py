"""Each query that runs all day, or that a page offers, is answered by an index, on both databases."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker

from renders.management.commands import refresh_renders
from renders.models import RefreshState, Render, WebhookDelivery
from renders.services import admission, retention
from renders.services.batches.complete import complete_batches
from renders.services.batches.totals import counts_of, totals
from renders.services.idempotency import free_expired_keys
from renders.services.refresh import lease
from renders.services.waiting import waiting
from tests.factories import BUCKET
from tests.models.many_rows import ManyRows
from tests.models.query_meter import metered
from tests.webhooks import SECRET, about, deliver

pytestmark = pytest.mark.django_db

PRIMARY_KEY = {"sqlite": "sqlite_autoindex_renders_render_1", "postgresql": "renders_render_pkey"}[connection.vendor]
NEXT_REFRESH = "renders_refreshstate_next_refresh_at"

RENDER_ID = ("render_remote_unique", "render_id_prefix")
"""Either finds a renderId."""

FEW, DELETED, PAGES, SOME = (480, 5), (520, 5), (7_000, 150), (13_000, 400)
"""What may be spent on one render, on deleting one with its words, on a page of 50 or two of 20, and on all that are
under way: steps of SQLite's virtual machine, one for each column, and rows read on PostgreSQL. Reading every row takes
over 16,000 steps, and 4,000 rows."""
FOUND = (100_000, 300)
"""A search: SQLite compares the words of the newest 10,000 renders, here of all of them, once."""
DASHBOARD_LIMITS = (13_000, 900)
"""Several questions about all that are under way."""
MERGED, ALL_MERGED = (20_000, 300), (36_000, 800)
"""Two pages of 20, out of two scans and out of six: each reads 21 rows, and the page is sorted. Sorting all that fit
takes twice as many steps."""


@pytest.fixture(scope="module")
def rows(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[ManyRows]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield ManyRows()
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def set_up(settings: Any) -> None:
    settings.API_ALLOW_ANONYMOUS = True
    settings.REMOTION_WEBHOOK_SECRET = SECRET
    settings.REMOTION_CONCURRENCY = 100_000  # else the queue is not even looked at


Ask = Callable[[ManyRows], object]
renders, deliveries = Render.objects, WebhookDelivery.objects


def ask(question: str, index: str | tuple[str, ...], limits: tuple[int, int], answer: Ask) -> Any:
    return pytest.param(index, limits, answer, id=question)


def find_known(rows: ManyRows) -> object:
    known = renders.with_render_id(*rows.render_ids[-110:]).filter(bucket_name=BUCKET)
    return list(known.values_list("render_id", flat=True))


def purge(rows: ManyRows) -> None:
    age = (rows.now - rows.created_at(10)) // timedelta(hours=1)
    call_command("purge_renders", f"--older-than={age}h", "--dry-run", stdout=StringIO())


ONE_RENDER = [
    ask("progress, for staff", RENDER_ID, FEW, lambda rows: rows.progress(rows.staff, rows.owned)),
    ask("progress, for its owner", RENDER_ID, FEW, lambda rows: rows.progress(rows.ada, rows.owned)),
    ask("progress, without owner", RENDER_ID, FEW, lambda rows: rows.progress(None, rows.ownerless)),
    ask(
        "progress, by our id", PRIMARY_KEY, FEW, lambda rows: rows.progress(rows.ada, rows.owned, id=str(rows.owned.pk))
    ),
    ask("our id", PRIMARY_KEY, FEW, lambda rows: rows.get(rows.ada, f"/api/renders/{rows.owned.pk}/")),
    ask("renderId alone", RENDER_ID, FEW, lambda rows: list(renders.matching_id("r900"))),
    ask("either id", RENDER_ID, FEW, lambda rows: list(renders.matching_id(str(rows.owned.pk), "r900"))),
    ask("webhook", RENDER_ID, FEW, lambda rows: deliver(about(rows.owned))),
    ask("key", "render_idempotent_per_owner", FEW, lambda rows: renders.with_key("key 200", owner=rows.eve).get()),
    ask("key without owner", "render_idempotent", FEW, lambda rows: renders.with_key("key 60", owner=None).first()),
    ask("new key", "render_idempotent_per_owner", FEW, lambda rows: renders.with_key("new", owner=rows.ada).first()),
    ask("replay", "render_idempotent_per_owner", SOME, lambda rows: rows.replay(rows.eve, "key 3900")),
    ask("last retry", "render_retries", FEW, lambda rows: rows.retried.retries.order_by("-created_at").first()),
    ask("active retry", "render_retries", FEW, lambda rows: rows.retried.retries.active().first()),
    ask("delete", "render_retries", DELETED, lambda rows: retention.delete_render(rows.owned)),
]
LISTS = [
    ask("list", "render_newest", PAGES, lambda rows: rows.list(rows.staff)),
    ask("list of an owner", "render_owner_newest", PAGES, lambda rows: rows.list(rows.eve)),
    ask("list without owner", "render_owner_newest", PAGES, lambda rows: rows.list(None)),
    ask("list, queued", "render_status_newest", PAGES, lambda rows: rows.list(rows.staff, status="queued")),
    ask("list, submitting", "render_status_newest", PAGES, lambda rows: rows.list(rows.staff, status="submitting")),
    ask("list, rendering", "render_status_newest", PAGES, lambda rows: rows.list(rows.staff, status="rendering")),
    ask("list, succeeded", "render_newest", PAGES, lambda rows: rows.list(rows.staff, status="succeeded")),
    ask("list, failed", "render_status_newest", PAGES, lambda rows: rows.list(rows.staff, status="failed")),
    ask("list, cancelled", "render_status_newest", PAGES, lambda rows: rows.list(rows.staff, status="cancelled")),
    ask("list of an owner, failed", "render_owner_status", PAGES, lambda rows: rows.list(rows.ada, status="failed")),
]
Limits = tuple[int, int]
FILTERS: list[tuple[str, dict[str, str], str, Limits]] = [
    # what it is, the filter, the index for all owners and for one
    ("failed or cancelled", {"status": "failed,cancelled"}, "status_newest", MERGED),
    ("all statuses", {"status": "queued,submitting,rendering,succeeded,failed,cancelled"}, "newest", ALL_MERGED),
    ("a template", {"template": "promo"}, "template_newest", PAGES),
    ("an external id", {"externalId": "order"}, "external_id", PAGES),
    ("stalled", {"stalled": "true"}, "status_newest", PAGES),
    ("created before", {"createdBefore": "{early}"}, "newest", PAGES),
    ("failed, created before", {"status": "failed", "createdBefore": "{early}"}, "status_newest", PAGES),
    ("ended before", {"finishedBefore": "{early}"}, "finished", PAGES),
    ("ended after", {"finishedAfter": "{early}"}, "finished", PAGES),
]
OF_ONE_OWNER: list[tuple[str, dict[str, str], str, Limits]] = [
    ("stills", {"kind": "still"}, "render_owner_kind_newest", PAGES),
    ("a template of an owner", {"template": "promo"}, "render_owner_template_newest", PAGES),
    ("metadata", {"metadata": "shop:a"}, "metadata_owner_pair_newest", MERGED),
    (
        "metadata, created before",
        {"metadata": "shop:b", "createdBefore": "{early}"},
        "metadata_owner_pair_newest",
        MERGED,
    ),
]


def filtered(user: str, query: dict[str, str], **more: str) -> Ask:
    def answer(rows: ManyRows) -> None:
        early = rows.created_at(2000).isoformat()
        rows.list(getattr(rows, user), **{name: value.format(early=early) for name, value in query.items()}, **more)

    return answer


FILTERED = [
    *(
        ask(f"list, {name}", f"render_{index}", limits, filtered("staff", query))
        for name, query, index, limits in FILTERS
    ),
    *(
        ask(f"list of an owner, {name}", f"render_owner_{index}", limits, filtered("ada", query))
        for name, query, index, limits in FILTERS
        if "externalId" not in query and "stalled" not in query
    ),
    ask(
        "list of an owner, an external id",
        ("render_owner_external_id", "render_external_id"),
        PAGES,
        filtered("ada", {"externalId": "order"}),
    ),
    *(ask(f"list, {name}", index, limits, filtered("ada", query)) for name, query, index, limits in OF_ONE_OWNER),
    *(
        ask(f"list for staff, {name}", index, limits, filtered("staff", query, owner="ada"))
        for name, query, index, limits in OF_ONE_OWNER
    ),
    ask(
        "list of an owner, stalled",
        "render_owner_status_newest",
        PAGES,
        lambda rows: rows.get(rows.ada, "/api/renders/?stalled=true&pageSize=20"),
    ),
    ask("list, a batch", "render_batch", MERGED, lambda rows: rows.list_all_of_batch(rows.staff)),
    ask(
        "list, failed of a batch",
        "render_batch",
        SOME,
        lambda rows: rows.list_all_of_batch(rows.staff, status="failed"),
    ),
    ask("totals of a batch", "render_batch", SOME, lambda rows: totals(rows.batches[3])),
    ask("counts of batches", "render_batch", SOME, lambda rows: counts_of(rows.batches[3:5])),
    ask("is a batch complete", "render_batch", SOME, lambda rows: complete_batches([rows.batches[3].pk])),
    ask(
        "same external id",
        ("render_owner_external_id", "render_external_id"),
        FEW,
        lambda rows: renders.with_external_id("x", owner=rows.ada).first(),
    ),
]
ALL_DAY = [
    ask("first in the queue", "render_owner_queued", SOME, lambda rows: admission.next_to_start()),
    ask("is anything queued", ("render_queued", "render_owner_queued"), FEW, lambda rows: renders.queued().exists()),
    ask("free slots", "render_status_newest", SOME, lambda rows: admission.has_free_slots(rows.owned)),
    ask("active", "render_status_newest", SOME, lambda rows: list(renders.active().only("pk"))),
    ask("unconfirmed", "render_status_newest", SOME, lambda rows: list(renders.unconfirmed())),
    ask("lost and due", "render_reason_newest", SOME, lambda rows: list(renders.lost_and_due(rows.now))),
    ask("due", NEXT_REFRESH, SOME, lambda rows: lease.claim_due([])),
    ask("due, not in a bucket", NEXT_REFRESH, SOME, lambda rows: lease.claim_due(["another"])),
    ask("next due", NEXT_REFRESH, FEW, lambda rows: lease.seconds_until_due([])),
    ask("renderIds of a bucket", RENDER_ID, SOME, find_known),
    ask("all to refresh", "render_status_newest", SOME, lambda rows: list(refresh_renders._choose(None).iterator())),
    ask("ended long ago", "render_newest", SOME, purge),
    ask("expired keys", "render_idempotent_per_owner", SOME, lambda rows: free_expired_keys()),
    ask("failed deliveries", "delivery_failed_newest", SOME, lambda rows: list(deliveries.failed().values_list("pk"))),
    ask("old deliveries", "delivery_newest", SOME, lambda rows: retention.delete_deliveries(before=rows.created_at(9))),
]
DASHBOARD = [
    ask("dashboard", "render_reason_newest", DASHBOARD_LIMITS, lambda rows: rows.dashboard("/admin/")),
    ask("dashboard, now", "render_status_newest", DASHBOARD_LIMITS, lambda rows: rows.dashboard("/admin/now/")),
]
ADMIN = [
    ask("admin", "render_newest", PAGES, lambda rows: rows.admin()),
    ask(
        "admin, queued",
        ("render_status_newest", "render_queued"),
        SOME,
        lambda rows: rows.admin(status__exact="queued"),
    ),
    ask("admin, submitting", "render_status_newest", PAGES, lambda rows: rows.admin(status__exact="submitting")),
    ask("admin, failed", "render_status_newest", PAGES, lambda rows: rows.admin(status__exact="failed")),
    ask("admin, lost", "render_reason_newest", PAGES, lambda rows: rows.admin(failure_reason__exact="lost")),
    ask("admin, rejected", "render_reason_newest", PAGES, lambda rows: rows.admin(0, failure_reason__exact="rejected")),
    ask("admin, a time", "render_newest", PAGES, lambda rows: rows.admin(10, created_at__gte=rows.created_at(3991))),
    ask("admin, find a renderId", RENDER_ID, PAGES, lambda rows: rows.admin(1, q="r900")),
    ask("admin, find our id", PRIMARY_KEY, PAGES, lambda rows: rows.admin(1, q=str(rows.owned.pk))),
    ask("admin, find an owner", "render_owner_newest", PAGES, lambda rows: rows.admin(q="eve")),
    ask("admin, active", "render_active_newest", SOME, lambda rows: rows.admin(tab="active")),
    ask("admin, needs attention", "render_active_newest", SOME, lambda rows: rows.admin(tab="attention")),
    ask("admin, failed today", "render_status_newest", PAGES, lambda rows: rows.admin(0, tab="failed-today")),
    ask("admin, an owner", "render_owner_newest", PAGES, lambda rows: rows.admin(owner__id__exact=rows.eve.pk)),
    ask(
        "admin, failed of an owner",
        "render_owner_status_newest",
        PAGES,
        lambda rows: rows.admin(owner__id__exact=rows.ada.pk, status__exact="failed"),
    ),
    ask(
        "admin, a template",
        "render_template_newest",
        PAGES,
        lambda rows: rows.admin(template__id__exact=rows.template.pk),
    ),
    ask(
        "admin, days",
        "render_newest",
        PAGES,
        lambda rows: rows.admin(created_from=f"{rows.created_at(3000):%Y-%m-%d}", created_to="9999-12-31"),
    ),
    ask("admin, the beginning of a renderId", "render_id_prefix", FOUND, lambda rows: rows.admin(10, q="r396")),
    ask("admin, the beginning of our id", PRIMARY_KEY, FOUND, lambda rows: rows.admin(1, q=str(rows.owned.pk)[:13])),
    ask("admin, the beginning of owners", "render_owner_newest", FOUND, lambda rows: rows.admin(q="e")),
    ask("admin, the queue", "render_queued", SOME, lambda rows: waiting(renders.queued()[:3])),
    ask("admin, posters", "render_one_poster", FEW, lambda rows: list(renders.with_poster_of([rows.owned.pk]))),
    ask("admin, deliveries", "delivery_newest", PAGES, lambda rows: rows.admin(of="webhookdelivery")),
    ask(
        "admin, failed deliveries",
        "delivery_failed",
        PAGES,
        lambda rows: rows.admin(39, "webhookdelivery", is_processed__exact=0),
    ),
    ask("admin, a render's deliveries", "delivery_", PAGES, lambda rows: rows.admin(1, "webhookdelivery", q="r900")),
]

if connection.vendor == "postgresql":  # SQLite reads the words of the newest
    ADMIN.append(ask("admin, find words", "render_words", SOME, lambda rows: rows.admin(0, q="nonsense")))


def test_what_is_due_does_not_change_while_the_tests_run(rows: ManyRows) -> None:
    states = RefreshState.objects
    assert states.due(rows.now).count() == states.due(rows.now + timedelta(minutes=30)).count() == 42


@pytest.mark.parametrize(("index", "limits", "answer"), [*ONE_RENDER, *LISTS, *FILTERED, *ALL_DAY, *DASHBOARD, *ADMIN])
def test_is_answered_by_its_index(
    index: str | tuple[str, ...], limits: tuple[int, int], answer: Ask, rows: ManyRows
) -> None:
    with metered() as cost:
        answer(rows)
    assert any(name.startswith(index) for name in cost.indexes), cost
    assert cost.work <= limits[connection.vendor == "postgresql"], cost
