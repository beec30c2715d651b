import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from renders.admin.pagination import CursorPages
from renders.models import Render, WebhookDelivery
from renders.services import incoming_webhooks
from tests.factories import make_render
from tests.servers import ScriptedServer
from tests.webhooks import about, body_of, deliver

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("webhook_secret")]
LIST = "/admin/renders/webhookdelivery/"
Status = Render.Status


def page(admin: Client, query: str = "") -> str:
    response = admin.get(f"{LIST}?{query}")
    assert response.status_code == 200
    return response.content.decode()


def shown(content: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'name="_selected_action" value="(\d+)"', content)]


class TestList:
    def test_it_filters_by_result(self, admin: Client, failed: WebhookDelivery) -> None:
        unknown = deliver(body_of("stranger"))
        assert shown(page(admin, "is_processed__exact=0")) == [failed.pk]
        assert shown(page(admin, "is_processed__exact=1")) == [unknown.pk]
        assert shown(page(admin)) == [unknown.pk, failed.pk]

    @pytest.mark.parametrize("of", ["id", "render_id"])
    def test_it_finds_those_of_a_render_by_either_id(self, admin: Client, aws: ScriptedServer, of: str) -> None:
        render = make_render(Status.SUCCEEDED)
        named = deliver(about(render))
        deliver(body_of("stranger"))
        assert shown(page(admin, f"q={getattr(render, of)}")) == [named.pk]

    def test_it_leads_to_the_render_and_back(self, admin: Client, aws: ScriptedServer) -> None:
        render, other = make_render(Status.SUCCEEDED), make_render()
        named = deliver(about(render))
        (link,) = re.findall(r'href="(/admin/renders/render/\?q=[^"]+)"', page(admin))
        found = admin.get(link).content.decode()
        assert str(render.pk) in found
        assert str(other.pk) not in found
        content = admin.get(f"/admin/renders/render/{render.pk}/change/").content.decode()
        (back,) = re.findall(r'href="/admin/renders/webhookdelivery/\?(q=[^"]+)"', content)
        assert shown(page(admin, back)) == [named.pk]

    def test_it_goes_on_by_cursor(self, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(CursorPages, "page_size", 2)
        now = timezone.now()
        for age in (2, 1, 1, 1, 0):
            WebhookDelivery.objects.create(headers={}, received_at=now - timedelta(minutes=age))
        seen: list[int] = []
        link: Any = ""
        while link is not None:
            content = page(admin, link)
            seen += shown(content)
            older = re.search(r'<a href="\?([^"]+)"[^>]*>\s*Older', content)
            link = older and older[1].replace("&amp;", "&")
        assert seen == list(WebhookDelivery.objects.order_by("-pk").values_list("pk", flat=True))

    @pytest.mark.parametrize("query", ["p=2", "p=zzz", "p=cD1nYXJiYWdl"])
    def test_a_page_that_is_none_leads_to_the_list(self, admin: Client, query: str) -> None:
        response = admin.get(f"{LIST}?{query}")
        assert (response.status_code, response.headers["Location"]) == (302, f"{LIST}?e=1")

    @pytest.mark.parametrize("query", ["q=%00", "q=%F0%9F%99%82", "q='%22;--", "is_processed__exact=maybe", "all="])
    def test_odd_queries_do_no_harm(self, admin: Client, query: str) -> None:
        assert admin.get(f"{LIST}?{query}", follow=True).status_code == 200


class TestPlans:
    """What the database does for a page of the list, in a table without statistics."""

    @pytest.fixture(autouse=True)
    def rows(self, db: None) -> None:
        now = timezone.now()
        WebhookDelivery.objects.bulk_create(
            WebhookDelivery(
                headers={},
                body="x" * 500,
                render_id=f"r{number}",
                our_id=make_uuid(number),
                is_processed=number % 50 > 0,
                received_at=now - timedelta(minutes=number),
            )
            for number in range(5000)
        )

    @pytest.mark.parametrize(
        ("query", "index"),
        [
            ("", "delivery_newest"),
            ("is_processed__exact=1", "delivery_newest"),
            ("is_processed__exact=0", "delivery_failed_newest"),
            ("received_at__gte=2020-01-01+00:00:00%2B00:00", "delivery_newest"),
            ("q=r77", "delivery_render_id"),
            ("q=00000000-0000-0000-0000-000000000077", "delivery_our_id"),
        ],
    )
    def test_each_page_is_read_from_an_index(self, admin: Client, query: str, index: str) -> None:
        with CaptureQueriesContext(connection) as queries:
            assert shown(page(admin, query))
        (sql,) = [found["sql"] for found in queries if 'FROM "renders_webhookdelivery"' in found["sql"]]
        plan = explain(sql)
        assert index in plan
        assert "Seq Scan" not in plan
        assert not re.search(r"SCAN renders_webhookdelivery(?! USING INDEX)", plan)


def make_uuid(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012}"


def explain(sql: str) -> str:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE renders_webhookdelivery")
            cursor.execute(f"EXPLAIN {sql}")
        else:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return json.dumps(cursor.fetchall())


class TestPage:
    def test_everything_is_shown_and_nothing_can_be_changed(self, admin: Client) -> None:
        delivery = deliver(body_of("<b>bold</b>"))
        content = admin.get(f"{LIST}{delivery.pk}/change/").content.decode()
        for words in ("&lt;b&gt;bold&lt;/b&gt;", "X-Remotion-Signature", incoming_webhooks.UNKNOWN_RENDER):
            assert words in content
        assert "<b>bold</b>" not in content
        assert 'name="_save"' not in content
        assert [admin.get(f"{LIST}{path}").status_code for path in ("add/", f"{delivery.pk}/delete/")] == [403] * 2


class TestProcessAgain:
    def test_the_selected_ones_are_processed_and_counted(self, admin: Client, failed: WebhookDelivery) -> None:
        bad = deliver(b"not json")
        data = {"action": "process_again", "_selected_action": [str(failed.pk), str(bad.pk)]}
        content = admin.post(LIST, data, follow=True).content.decode()
        assert "1 processed. 1 failed." in content
        assert f"Webhook delivery {bad.pk}: The body is not JSON" in content
        assert Render.objects.get().status == Status.SUCCEEDED

    def test_queries_do_not_grow_with_the_selection(
        self, admin: Client, aws: ScriptedServer, django_assert_max_num_queries: Any
    ) -> None:
        deliveries = [deliver(body_of(f"stranger{number}")) for number in range(10)]
        data = {"action": "process_again", "_selected_action": [str(delivery.pk) for delivery in deliveries]}
        # Ten lookups of a render by its renderId; the bodies come with the rows.
        with django_assert_max_num_queries(10 + 10):
            admin.post(LIST, data)
