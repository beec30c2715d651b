"""The dashboard: who sees what, and what its numbers lead to."""

import html
import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from renders.models import EndCount, EndKey, Render, UsageDay, WebhookDelivery, WorkerHeartbeat
from renders.services.statistics.period import today
from renders.services.statistics.render_times import bucket_of
from tests.factories import grant, make_endpoint, make_message, make_render, make_template

pytestmark = pytest.mark.django_db
INDEX, NOW = "/admin/", "/admin/now/"
Status, Reason = Render.Status, Render.FailureReason
OCTOBER = date(2026, 10, 5)


@pytest.fixture
def supporter(client: Client) -> User:
    """A user of the staff, signed in, without permissions."""
    user = User.objects.create_user("sam", is_staff=True)
    client.force_login(user)
    return user


def text_of(client: Client, address: str = INDEX) -> str:
    """GET a page; return its words, with one space between them."""
    response = client.get(address)
    assert response.status_code == 200
    return _words(response.content.decode())


def _words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def use(owner: User | None = None, day: date = OCTOBER, **fields: Any) -> None:
    values = {"template": "", "region": "us-east-1", "currency": "USD", "renders": 1, "succeeded": 1}
    UsageDay.objects.create(day=day, owner=owner, **{**values, **fields})


class TestPermissions:
    def test_whoever_may_not_see_renders_gets_the_list_of_what_they_may(self, client: Client, supporter: User) -> None:
        grant(supporter, "view_template")
        page = client.get(INDEX)
        assert "dashboard" not in page.context
        assert "/admin/renders/template/" in page.content.decode()
        assert client.get(NOW).status_code == 403

    def test_a_stranger_has_to_sign_in(self, client: Client, db: None) -> None:
        for address in (INDEX, NOW):
            assert client.get(address).status_code == 302

    def test_webhooks_are_for_those_who_may_see_them(self, client: Client, supporter: User) -> None:
        grant(supporter, "view_render")
        assert "To your endpoints" not in text_of(client)
        assert "From Remotion" not in text_of(client)
        grant(supporter, "view_webhookmessage", "view_webhookdelivery")
        assert "To your endpoints" in text_of(client)
        assert "From Remotion" in text_of(client)

    def test_no_link_leads_to_a_list_that_is_not_for_them(self, client: Client, supporter: User) -> None:
        grant(supporter, "view_render", "view_webhookmessage")
        make_endpoint(supporter, "https://example.com/")
        page = client.get(INDEX).content.decode()
        assert "/admin/renders/webhookmessage/?status__exact=pending" in page
        assert "/admin/renders/webhookendpoint/" not in page


class TestNow:
    def test_it_says_how_it_is(self, admin: Client, settings: Any) -> None:
        settings.REMOTION_CONCURRENCY = 40
        WorkerHeartbeat.objects.create(host="one", pid=7)
        make_render(slots_needed=10, answered_at=timezone.now())
        for _ in range(2):
            make_render(Status.QUEUED)
        EndCount.objects.add({EndKey(today(), "failed", "lost"): 1_234})
        said = text_of(admin)
        for told in ("Rendering 1 ", "Waiting 2 ", "Slots in use 10 of 40", "Failed today 1,234", "Workers 1 "):
            assert told in said
        assert "Nothing needs attention." in said

    def test_each_number_leads_to_its_rows(self, admin: Client) -> None:
        oldest = make_render(Status.QUEUED)
        page = admin.get(NOW).content.decode()
        for query in ("status__exact=rendering", "status__exact=queued", "tab=active", "tab=failed-today"):
            assert f"/admin/renders/render/?{query}" in page
        assert f"/admin/renders/render/{oldest.pk}/change/" in page

    def test_regions_are_told_if_there_are_several(self, admin: Client) -> None:
        make_render(slots_needed=3)
        assert "us-east-1" not in text_of(admin, NOW)
        make_render(slots_needed=5, region="eu-central-1")
        assert "eu-central-1: 5 us-east-1: 3" in text_of(admin, NOW)

    def test_what_needs_attention_leads_there(self, admin: Client, user: User) -> None:
        make_render(Status.QUEUED, created_at=timezone.now() - timedelta(hours=2))
        make_message(make_endpoint(user, "https://example.com/"), status="failed", finished_at=timezone.now())
        WebhookDelivery.objects.create(headers={}, received_at=timezone.now() - timedelta(hours=1))
        concerns = dict(admin.get(NOW).context["dashboard"]["concerns"])
        assert list(concerns.values()) == [
            "#workers",
            "/admin/renders/render/?tab=attention",
            "/admin/renders/webhookmessage/?status__exact=failed",
            "/admin/renders/webhookdelivery/?is_processed__exact=0",
        ]

    def test_trouble_of_a_worker_is_told_and_escaped(self, admin: Client) -> None:
        WorkerHeartbeat.objects.create(
            host="one", pid=7, failures=1, last_failure="<b>No bucket</b>", last_failure_at=timezone.now()
        )
        page = admin.get(NOW).content.decode()
        assert "&lt;b&gt;No bucket&lt;/b&gt;" in page

    def test_it_answers_get_only(self, admin: Client) -> None:
        assert admin.post(NOW).status_code == 405


class TestPeriod:
    def test_what_a_customer_cost_in_october(self, admin: Client) -> None:
        alice = User.objects.create_user("alice", email="alice@shop.example")
        use(alice, cost=1.25)
        use(alice, day=date(2026, 9, 30), cost=100)
        use(cost=50)
        page = admin.get(f"{INDEX}?month=2026-10&owner=Alice@shop")
        said = _words(page.content.decode())
        assert "October 2026, owner “Alice@shop”" in said
        assert "Cost 1.2500 USD" in said
        assert f"owner__id__exact={alice.pk}" in page.content.decode()
        assert "Median render time" not in said  # counted for all owners together
        assert "reasons of failures are not counted by owner. Show all owners" in said
        assert "Median render time" in text_of(admin, f"{INDEX}?month=2026-10")

    def test_nobody_of_that_name(self, admin: Client) -> None:
        assert "No user has “bob” in their name" in text_of(admin, f"{INDEX}?owner=bob")

    @pytest.mark.parametrize(
        ("query", "told"),
        [
            ("month=2026-13", "Choose one of these"),
            ("month=nonsense", "Choose one of these"),
            ("owner=%00", "Null characters are not allowed."),
            (f"owner={'x' * 151}", "at most 150 characters"),
        ],
    )
    def test_bad_input_is_told_beside_its_field(self, admin: Client, query: str, told: str) -> None:
        said = text_of(admin, f"{INDEX}?{query}")
        assert told in said
        assert "Last 30 days" in said

    def test_the_last_days_are_told_if_nothing_is_chosen(self, admin: Client, user: User) -> None:
        template = make_template("promo")
        use(user, day=today(), template="promo", renders=4, succeeded=3, failed=1, cost=2, video_seconds=3700)
        EndCount.objects.add({EndKey(today(), "succeeded", time_bucket=bucket_of(20)): 3})
        EndCount.objects.add({EndKey(today(), "failed", Reason.TIMED_OUT.value): 1})
        newest = make_render("failed", failure_reason=Reason.TIMED_OUT, error="<i>Too slow.</i>")
        page = admin.get(INDEX).content.decode()
        said = _words(page)
        for told in ("Ended 4 ", "Success rate 75.0%", "Cost 2.0000 USD", "Video made 1 h 2 min", "Timed out 1 "):
            assert told in said
        assert "&lt;i&gt;Too slow.&lt;/i&gt;" in page
        assert f"/admin/renders/render/{newest.pk}/change/" in page
        assert f"owner__id__exact={user.pk}&amp;created_from={today() - timedelta(days=29)}" in page
        assert f"template__id__exact={template.pk}" in page
        assert "failure_reason__exact=timed_out" in page

    def test_renders_without_owner_and_templates_that_are_gone_are_told(self, admin: Client) -> None:
        use(day=today(), template="gone", cost=1)
        page = admin.get(INDEX).content.decode()
        assert "owner__isnull=True" in page
        assert "no owner" in page
        assert "gone" in page
        assert "template__id__exact" not in page

    def test_charts_have_a_value_for_each_day_and_the_same_figures_as_a_table(self, admin: Client) -> None:
        use(day=date(2026, 10, 1), cost=0.5, renders=2, succeeded=2)
        use(day=date(2026, 10, 31), cost=0.25)
        EndCount.objects.add({EndKey(date(2026, 10, 31), "succeeded", time_bucket=bucket_of(10)): 1})
        response = admin.get(f"{INDEX}?month=2026-10")
        costs, ended, times = response.context["dashboard"]["charts"]
        for chart in (costs, ended, times):
            data = json.loads(chart.data)
            assert [len(data["labels"]), *(len(each["data"]) for each in data["datasets"])] == [31] * (
                1 + len(chart.series)
            )
        assert json.loads(costs.data)["datasets"][0]["data"][::30] == [0.5, 0.25]
        steps = [json.loads(chart.options)["scales"]["y"]["ticks"].get("precision") for chart in (costs, ended, times)]
        assert steps == [None, 0, None]  # no fraction of a render
        assert costs.rows == [
            ["2026-10-31", "0.2500\N{NO-BREAK SPACE}USD"],
            ["2026-10-01", "0.5000\N{NO-BREAK SPACE}USD"],
        ]
        assert ended.rows[-1] == ["2026-10-01", "2", "0", "0"]
        assert json.loads(times.data)["datasets"][0]["data"][0] is None
        assert response.content.decode().count("<canvas") == 3

    def test_without_usage_there_is_nothing_to_draw(self, admin: Client) -> None:
        assert "<canvas" not in admin.get(INDEX).content.decode()


def test_queries_do_not_grow_with_what_is_shown(admin: Client, django_assert_max_num_queries: Any) -> None:
    for number in range(30):
        owner = User.objects.create_user(f"user{number}")
        use(owner, day=today(), cost=number, template=f"t{number}")
        make_render(Status.QUEUED, owner=owner, created_at=datetime(2026, 1, 1, tzinfo=UTC))
        make_render(owner=owner)
        WorkerHeartbeat.objects.create(host=f"{number}", pid=1)
    for reason in Reason:
        make_render("failed", failure_reason=reason)
        EndCount.objects.add({EndKey(today(), "failed", reason.value): 1})
    with django_assert_max_num_queries(40):
        admin.get(INDEX)
