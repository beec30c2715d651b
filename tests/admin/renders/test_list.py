"""The list of renders: its rows, pages and tabs."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from renders.admin.pagination import CursorPages
from renders.models import Render, RenderText
from tests.factories import grant, make_render, make_template

pytestmark = pytest.mark.django_db
LIST = "/admin/renders/render/"
Status = Render.Status


def page(admin: Client, query: str = "") -> str:
    response = admin.get(query if query.startswith("/") else LIST + query)
    assert response.status_code == 200
    return response.content.decode()


def link(content: str, words: str) -> str | None:
    """Return the address of the button with these words, which an icon may stand before."""
    found = re.search(rf'<a href="([^"]+)"[^>]*>(?:\s*<span[^>]*>[^<]*</span>)?\s*{words}', content)
    return html.unescape(found[1]) if found else None


def shown(content: str) -> list[str]:
    """Return the ids of the renders that the list shows, in order."""
    return re.findall(r'name="_selected_action" value="([^"]+)"', content)


def ids(*renders: Render) -> list[str]:
    return [str(render.pk) for render in renders]


class TestRows:
    @pytest.mark.parametrize("status", Status)
    def test_every_status_is_shown(self, admin: Client, status: str) -> None:
        render = make_render(status)
        content = page(admin)
        assert re.search(rf">{render.render_id or f'{str(render.id)[:8]}…'}</a>", content)
        assert f'data-status="{status}"' in content

    def test_length_cost_and_error_are_told(self, admin: Client) -> None:
        make_render(Status.FAILED, failure_reason="timed_out", cost=0.00123, currency="USD", error="<b>It took long.")
        content = page(admin)
        for words in (
            "Failed: timed out",
            "5.0\N{NO-BREAK SPACE}s",
            "0.0012\N{NO-BREAK SPACE}USD",
            "&lt;b&gt;It took",
        ):
            assert words in content

    def test_a_poster_is_told_to_be_one(self, admin: Client) -> None:
        video, waiting = make_render(Status.SUCCEEDED, render_id="2qugq4ypps"), make_render(Status.QUEUED)
        for each in (video, waiting):
            make_render(Status.SUCCEEDED, kind="still", frame=0, poster_of=each)
        content = page(admin)
        assert re.findall(r"Poster of ([^<]*)<", content) == [f"{str(waiting.pk)[:8]}…", "2qugq4ypps"]

    def test_an_absurd_duration_is_shown_too(self, admin: Client) -> None:
        make_render(input_props={"code": "x", "durationInFrames": 12_000, "fps": 1e-300})
        page(admin)

    def test_the_age_is_brief_and_the_time_is_told_on_hover(self, admin: Client) -> None:
        at = timezone.now() - timedelta(minutes=3)
        make_render(created_at=at)
        assert f'title="{at:%Y-%m-%d %H:%M:%S} UTC">3\N{NO-BREAK SPACE}min ago</time>' in page(admin)

    def test_a_waiting_render_says_where_it_stands_and_why(self, admin: Client, settings: Any) -> None:
        settings.REMOTION_CONCURRENCY = 6
        make_render()
        make_render(Status.QUEUED)
        assert "No. 1 in the queue: it needs 4 functions, and 4 of 6 are in use." in page(admin)

    def test_owner_and_template_lead_to_their_renders(self, admin: Client, user: User) -> None:
        template = make_template()
        own, of_template, other = make_render(owner=user), make_render(template=template), make_render()
        content = page(admin)
        for query, render in (
            (f"?owner__id__exact={user.pk}", own),
            (f"?template__id__exact={template.pk}", of_template),
        ):
            assert f'href="{query}"' in content
            assert shown(page(admin, query)) == ids(render)
        assert str(other.pk) in shown(content)

    def test_queries_do_not_grow_with_the_list(self, admin: Client, user: User, django_assert_num_queries: Any) -> None:
        template = make_template()

        def add() -> None:
            video = make_render(Status.SUCCEEDED, owner=user, template=template, poster_request={"frame": 1})
            make_render(Status.SUCCEEDED, kind="still", extension="jpeg", codec="", frame=0, poster_of=video)
            make_render(Status.QUEUED, owner=user, template=template)

        add()
        # the session, its user, the renders, the posters, their videos; the queue, the slots in use, the quotas
        expected = 8
        with django_assert_num_queries(expected):
            page(admin)
        for _ in range(5):
            add()
        with django_assert_num_queries(expected):
            page(admin)

    def test_large_fields_are_not_loaded(self, admin: Client) -> None:
        make_render(template=make_template())
        with CaptureQueriesContext(connection) as queries:
            page(admin)
        (sql,) = [found["sql"] for found in queries if 'FROM "renders_render"' in found["sql"]]
        assert '"renders_render"."input_props"' not in sql
        assert '"renders_template"."input_schema"' not in sql

    def test_without_the_permission_there_is_no_list(self, client: Client, user: User) -> None:
        User.objects.update(is_staff=True)
        client.force_login(user)
        assert client.get(LIST).status_code == 403
        grant(user, "view_render")
        assert client.get(LIST).status_code == 200


class TestTabs:
    @pytest.fixture
    def renders(self) -> dict[str, Render]:
        now = timezone.now()
        long_ago = now - timedelta(hours=1)
        return {
            "queued": make_render(Status.QUEUED),
            "waits long": make_render(Status.QUEUED, created_at=long_ago),
            "submitting": make_render(Status.SUBMITTING),
            "unconfirmed": make_render(Status.SUBMITTING, submitted_at=long_ago),
            "answered badly": make_render(Status.SUBMITTING, error="AWS did not answer."),
            "rendering": make_render(),
            "stalled": make_render(submitted_at=long_ago, progressed_at=long_ago, answered_at=now),
            "succeeded": make_render(Status.SUCCEEDED),
            "failed": make_render(Status.FAILED, created_at=now - timedelta(days=1)),
            "failed before": make_render(Status.FAILED, finished_at=now - timedelta(days=2)),
            "cancelled": make_render(Status.CANCELLED),
        }

    @pytest.mark.parametrize(
        ("tab", "names"),
        [
            (
                "active",
                ("queued", "waits long", "submitting", "unconfirmed", "answered badly", "rendering", "stalled"),
            ),
            ("attention", ("waits long", "unconfirmed", "answered badly", "stalled")),
            ("failed-today", ("failed",)),
        ],
    )
    def test_shows(self, admin: Client, renders: dict[str, Render], tab: str, names: tuple[str, ...]) -> None:
        found = set(shown(page(admin, f"?tab={tab}")))
        assert {name for name, render in renders.items() if str(render.pk) in found} == set(names)

    def test_a_filter_and_a_search_stay_in_the_tab(self, admin: Client, renders: dict[str, Render]) -> None:
        failed = renders["failed"]
        assert shown(page(admin, "?tab=active&status__exact=failed")) == []
        assert shown(page(admin, f"?tab=failed-today&q={failed.render_id}")) == ids(failed)
        assert shown(page(admin, f"?tab=active&q={failed.render_id}")) == []

    def test_the_chosen_one_is_marked_and_kept_when_filters_are_cleared(self, admin: Client) -> None:
        make_render()
        content = page(admin, "?tab=active&status__exact=rendering")
        assert re.search(r'<a href="\?tab=active" class="active"\s*>\s*Active', content)
        assert 'href="?tab=active"' in content[content.index("changelist-filter-extra-actions") :]

    def test_one_that_does_not_exist_leads_to_the_list(self, admin: Client) -> None:
        assert admin.get(f"{LIST}?tab=none").headers["Location"] == f"{LIST}?e=1"

    @pytest.mark.parametrize("query", ["tab=none", "owner=abc", "p=999"])
    def test_what_the_address_names_and_is_not_known_is_told(self, admin: Client, query: str) -> None:
        make_render()
        told = "The address had a filter that is not known: all renders are shown."
        assert admin.get(f"{LIST}?{query}", follow=True).content.decode().count(told) == 1
        assert told not in page(admin)

    def test_an_action_may_change_what_the_tab_shows(self, admin: Client, aws: Any) -> None:
        render = make_render(Status.QUEUED)
        data = {"action": "cancel", "_selected_action": ids(render)}
        assert "1 cancelled." in admin.post(f"{LIST}?tab=active", data, follow=True).content.decode()


class TestSearch:
    def test_finds_ids_owners_and_words_together(self, admin: Client, user: User) -> None:
        User.objects.create_user("adam", email="a@example.com")
        own = make_render(owner=user)
        by_word, other = make_render(input_props={"code": "an adage"}), make_render()
        RenderText.objects.store([own, by_word, other])
        content = page(admin, "?q=ad")
        assert set(shown(content)) == set(ids(own))
        assert "Looked for renders of ada, adam" in content
        assert set(shown(page(admin, "?q=adag"))) == set(ids(by_word))

    def test_what_was_found_in_parts_comes_in_pages(
        self, admin: Client, user: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(CursorPages, "page_size", 2)
        adam = User.objects.create_user("adam")
        renders = [make_render(owner=owner) for owner in (user, adam, user, None, adam)]
        first = page(admin, "?q=ad")
        second = page(admin, str(link(first, "Older")))
        assert [*shown(first), *shown(second)] == ids(renders[4], renders[2], renders[1], renders[0])

    def test_an_action_takes_what_was_found(self, admin: Client, user: User, aws: Any) -> None:
        User.objects.create_user("adam")
        render = make_render(Status.QUEUED, owner=user)
        data = {"action": "cancel", "_selected_action": ids(render)}
        assert "1 cancelled." in admin.post(f"{LIST}?q=ad", data, follow=True).content.decode()

    @pytest.mark.parametrize(
        "query",
        [
            "q=%00",
            "q=%F0%9F%99%82",
            "status__exact=dancing",
            "q='%22;--",
            "q=%25",
            "q=_",
            "q=!!!",
            "q=%22",
            "q=a:*",
            f"q={'x' * 5000}",
            "q=\\",
            "q=%20%20",
            "q=%26%20%7C",
            "q=----",
            "q=1---",
            "q=%EF%BF%BF%EF%BF%BF%EF%BF%BFa",
        ],
    )
    def test_odd_queries_do_no_harm(self, admin: Client, query: str) -> None:
        make_render()
        assert admin.get(f"{LIST}?{query}", follow=True).status_code == 200


class TestPages:
    @pytest.fixture(autouse=True)
    def two_a_page(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(CursorPages, "page_size", 2)

    def test_each_render_is_on_one_page_while_others_arrive(self, admin: Client) -> None:
        now = timezone.now()
        renders = [make_render(created_at=now - timedelta(minutes=age)) for age in (0, 1, 1, 1, 2)]
        seen, following = [], LIST
        while following:
            content = page(admin, following)
            seen += shown(content)
            following = link(content, "Older") or ""
            make_render(created_at=now + timedelta(minutes=1))
        assert len(seen) == len(renders)
        assert set(seen) == set(ids(*renders))

    def test_back_to_the_newer_ones(self, admin: Client) -> None:
        for age in range(4):
            make_render(created_at=timezone.now() - timedelta(minutes=age))
        first = page(admin)
        second = page(admin, str(link(first, "Older")))
        assert link(first, "Newer") is None
        assert link(second, "Older") is None
        assert shown(page(admin, str(link(second, "Newer")))) == shown(first)

    def test_a_filter_goes_along_and_another_begins_anew(self, admin: Client) -> None:
        renders = [make_render(Status.FAILED) for _ in range(3)]
        make_render()
        first = page(admin, "?status__exact=failed")
        second = page(admin, str(link(first, "Older")))
        assert {*shown(first), *shown(second)} == set(ids(*renders))
        form = second[second.index('id="filter-form"') : second.index("Apply Filters")]
        assert 'type="hidden" name="p"' not in form

    def test_no_more_is_offered_than_is_shown(self, admin: Client) -> None:
        for _ in range(5):
            make_render()
        content = page(admin)
        assert "2 renders on this page" in content
        assert "across all pages" not in content
        assert "Show all" not in content
        assert len(shown(page(admin, "?all="))) == 2

    @pytest.mark.parametrize("query", ["p=2", "p=-1", "p=zzz", "p=cD1nYXJiYWdl", "pageSize=200", "pageSize=x"])
    def test_a_page_that_is_none_leads_to_the_list(self, admin: Client, query: str) -> None:
        response = admin.get(f"{LIST}?{query}")
        assert (response.status_code, response.headers["Location"]) == (302, f"{LIST}?e=1")

    @pytest.mark.parametrize(
        "query",
        [
            "",
            "status__exact=failed",
            "failure_reason__exact=lost",
            "q=ada",
            "q=boom",
            "q=abcd",
            "_facets=True",
            "o=1",
            "tab=active",
            "tab=attention",
            "tab=failed-today",
            "created_from=2026-01-01",
            "owner__id__exact=1",
        ],
    )
    def test_nothing_reads_the_whole_table(self, admin: Client, user: User, query: str) -> None:
        RenderText.objects.store([make_render(Status.FAILED, owner=user, error="boom")])
        with CaptureQueriesContext(connection) as queries:
            page(admin, f"?{query}")
        about_renders = [found["sql"] for found in queries if 'FROM "renders_render"' in found["sql"]]
        assert about_renders
        for sql in about_renders:
            assert "COUNT(" not in sql
            assert "DISTINCT" not in sql
            assert "LIMIT" in sql
        assert 'ORDER BY "renders_render"."created_at" DESC, "renders_render"."id" DESC' in about_renders[-1]


class TestNothing:
    def test_says_whether_nothing_is_there_or_nothing_fits(self, admin: Client) -> None:
        content = page(admin, "")
        assert "Nothing here." in content
        assert "Show all" not in content
        assert "Nothing here." in page(admin, "?tab=failed-today")
        for query, said in (
            ("?status__exact=failed", "these filters"),
            ("?q=zzz", "this search"),
            ("?q=zzz&status__exact=failed", "these filters and this search"),
        ):
            content = page(admin, query)
            assert f"Nothing fits {said}." in " ".join(content.split())
            assert "Show all" in content
