import re
from datetime import UTC, date, datetime
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from renders.models import LedgerEntry, Render, UsageDay
from renders.services.usage.record import record_ends
from tests.factories import make_render, make_template

pytestmark = pytest.mark.django_db

DAYS, LEDGER = "/admin/renders/usageday/", "/admin/renders/ledgerentry/"
OCTOBER = datetime(2026, 10, 20, 12, tzinfo=UTC)


@pytest.fixture
def admin(client: Client, staff: User, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(timezone, "now", lambda: OCTOBER)
    client.force_login(staff)
    return client


def ended(owner: User | None, *, cost: float, on: int = 20, month: int = 10, **fields: Any) -> Render:
    at = OCTOBER.replace(month=month, day=on)
    render = make_render("succeeded", owner=owner, cost=cost, currency="USD", finished_at=at, **fields)
    record_ends([render])
    return render


def shown(client: Client, address: str) -> Any:
    answer = client.get(address)
    assert answer.status_code == 200, answer
    return answer.context["cl"]


class TestTotals:
    @pytest.mark.parametrize("address", [DAYS, LEDGER])
    def test_are_of_this_month_and_all_owners(self, admin: Client, user: User, address: str) -> None:
        ended(user, cost=1)
        ended(None, cost=2, on=3)
        ended(user, cost=4, month=9)
        page = shown(admin, address)
        assert [(total["cost"], total["renders"]) for total in page.totals] == [("3.0000\xa0USD", 2)]
        assert page.caption == "October 2026, all owners"
        assert len(page.result_list) == 2

    @pytest.mark.parametrize("address", [DAYS, LEDGER])
    def test_say_what_an_owner_cost_in_a_month(self, admin: Client, user: User, address: str) -> None:
        ended(user, cost=1, month=9)
        ended(user, cost=2, month=9, on=3)
        ended(None, cost=4, month=9)
        ended(user, cost=8)
        page = shown(admin, f"{address}?month=2026-09&owner__id__exact={user.pk}")
        assert [total["cost"] for total in page.totals] == ["3.0000\xa0USD"]
        assert page.caption == "September 2026, ada"

    @pytest.mark.parametrize("address", [DAYS, LEDGER])
    def test_of_what_has_no_owner(self, admin: Client, user: User, address: str) -> None:
        ended(user, cost=1)
        ended(None, cost=2)
        page = shown(admin, f"{address}?owner__isnull=True")
        assert [total["cost"] for total in page.totals] == ["2.0000\xa0USD"]
        assert page.caption == "October 2026, no owner"
        (row,) = page.result_list
        assert row.owner is None

    def test_days_lead_to_their_entries_also_without_owner(self, admin: Client, user: User) -> None:
        ended(user, cost=1)
        ended(None, cost=2)
        links = re.findall(r'href="(/admin/renders/ledgerentry/[^"]+month[^"]+)"', admin.get(DAYS).content.decode())
        assert len(links) == 2
        costs = [shown(admin, unescape(link)).totals[0]["cost"] for link in links]
        assert sorted(costs) == ["1.0000\xa0USD", "2.0000\xa0USD"]

    @pytest.mark.parametrize("address", [DAYS, LEDGER])
    def test_of_one_template_and_of_none(self, admin: Client, user: User, address: str) -> None:
        ended(user, cost=1, template=make_template("promo"))
        ended(user, cost=2)
        assert [total["cost"] for total in shown(admin, f"{address}?template__exact=promo").totals] == ["1.0000\xa0USD"]
        page = shown(admin, f"{address}?template__exact=(default)")
        assert [total["cost"] for total in page.totals] == ["2.0000\xa0USD"]
        assert page.caption == "October 2026, all owners, the default template"

    def test_of_each_currency(self, admin: Client, user: User) -> None:
        for currency, cost in (("USD", 1), ("EUR", 2)):
            UsageDay.objects.create(day=date(2026, 10, 1), region="eu-west-1", currency=currency, cost=cost)
        assert [total["cost"] for total in shown(admin, DAYS).totals] == ["2.0000\xa0EUR", "1.0000\xa0USD"]


class TestMonths:
    def test_lead_to_the_one_before_and_after(self, admin: Client) -> None:
        page = shown(admin, f"{DAYS}?month=2026-09&template__exact=promo")
        assert "month=2026-08" in page.earlier
        assert "template__exact=promo" in page.earlier
        assert "month=2026-10" in page.later
        assert shown(admin, DAYS).later == ""

    @pytest.mark.parametrize("month", ["", "x", "2026-13", "1999-01", "9999-12"])
    def test_anything_else_is_this_one(self, admin: Client, month: str) -> None:
        assert shown(admin, f"{DAYS}?month={month}").caption == "October 2026, all owners"


class TestLedger:
    def test_finds_the_entries_of_a_render_of_any_month(self, admin: Client, user: User) -> None:
        render = ended(user, cost=1, month=3)
        ended(user, cost=2)
        for text in (str(render.pk), render.render_id):
            page = shown(admin, f"{LEDGER}?q={text}")
            assert [entry.render_uuid for entry in page.result_list] == [render.pk]
            assert [total["cost"] for total in page.totals] == ["1.0000\xa0USD"]

    def test_says_that_an_entry_corrects_an_earlier_one(self, admin: Client, user: User) -> None:
        render = ended(user, cost=1)
        render.status, render.failure_reason = "failed", "timed_out"
        record_ends([render])
        page = admin.get(LEDGER).content.decode()
        assert "failed, " in page or "no more succeeded" in page

    def test_pages_go_on_within_a_day_and_back(self, admin: Client) -> None:
        LedgerEntry.objects.bulk_create(
            LedgerEntry(day=date(2026, 10, 1 + number // 100), region="us-east-1", render_uuid=make_id(number))
            for number in range(230)
        )
        seen, address, links = [], LEDGER, []
        while address:
            page = shown(admin, address)
            seen += [entry.pk for entry in page.result_list]
            address = LEDGER + page.older if page.older else ""
            links.append(page.newer)
        expected = list(LedgerEntry.objects.order_by("-day", "-id").values_list("pk", flat=True))
        assert seen == expected
        assert links[0] == ""
        back = shown(admin, LEDGER + links[-1])
        assert [entry.pk for entry in back.result_list] == expected[150:200]
        first = shown(admin, LEDGER + shown(admin, LEDGER + shown(admin, LEDGER + back.newer).newer).newer)
        assert ([entry.pk for entry in first.result_list], first.newer) == (expected[:50], "")

    @pytest.mark.parametrize("page", ["x", "older.2026-99-01.1", "older.2026-10-01." + "9" * 30, "2"])
    def test_a_page_that_there_is_not_is_no_error(self, admin: Client, page: str) -> None:
        assert admin.get(f"{LEDGER}?p={page}").status_code == 302

    def test_is_read_only(self, admin: Client, user: User) -> None:
        ended(user, cost=1)
        entry = LedgerEntry.objects.get()
        assert admin.get(f"{LEDGER}add/").status_code == 403
        page = admin.get(f"{LEDGER}{entry.pk}/change/").content.decode()
        assert 'name="_save"' not in page
        assert "1.0000" in page


class TestFilters:
    @pytest.mark.parametrize("owner", ["x", "0", "9" * 30, "-1"])
    def test_an_owner_that_there_is_not_is_no_error(self, admin: Client, owner: str) -> None:
        assert admin.get(f"{DAYS}?owner__id__exact={owner}").status_code in (200, 302)


def make_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"
