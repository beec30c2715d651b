import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from renders.admin.pagination import CursorPages
from renders.admin.renders.columns import COLOURS
from renders.models import Render
from tests.factories import BUCKET, load_recording, make_render
from tests.servers import ScriptedServer, reply, s3_error

pytestmark = pytest.mark.django_db
LIST = "/admin/renders/render/"
Status = Render.Status


@pytest.fixture
def admin(staff: User, client: Client) -> Client:
    client.force_login(staff)
    return client


def page(admin: Client, path: str) -> str:
    response = admin.get(path)
    assert response.status_code == 200
    return response.content.decode()


class TestList:
    @pytest.mark.parametrize("status", Status)
    def test_every_status_is_shown(self, admin: Client, status: str) -> None:
        render = make_render(status)
        content = page(admin, LIST)
        assert f">{render.render_id or f'{str(render.id)[:8]}…'}</a>" in content
        assert Status(status) in COLOURS

    def test_links_lead_to_the_aws_console(self, admin: Client) -> None:
        make_render(cloudwatch_logs="https://logs.example/", folder_in_s3_console="https://s3.example/")
        content = page(admin, LIST)
        assert 'href="https://logs.example/"' in content
        assert 'href="https://s3.example/"' in content

    def test_duration_cost_and_failure_are_told(self, admin: Client) -> None:
        make_render(Status.FAILED, failure_reason="timed_out", cost=0.00123, currency="USD")
        content = page(admin, LIST)
        assert all(
            words in content for words in ("Timed out", "5.0\N{NO-BREAK SPACE}s", "0.00123\N{NO-BREAK SPACE}USD")
        )

    def test_an_absurd_duration_is_shown_too(self, admin: Client) -> None:
        make_render(input_props={"code": "x", "durationInFrames": 12_000, "fps": 1e-300})
        page(admin, LIST)

    @pytest.mark.parametrize("of", ["id", "render_id", "error", "owner"])
    def test_search_finds(self, admin: Client, user: User, of: str) -> None:
        render, other = make_render(Status.FAILED, owner=user, error="boom at 100"), make_render(Status.FAILED)
        words = str(getattr(render, of))
        content = page(admin, f"{LIST}?q={words}")
        assert str(render) in content
        assert str(other) not in content

    @pytest.mark.parametrize("query", ["q=%00", "q=%F0%9F%99%82", "status__exact=dancing", "q='%22;--"])
    def test_odd_queries_do_no_harm(self, admin: Client, query: str) -> None:
        make_render()
        assert admin.get(f"{LIST}?{query}", follow=True).status_code == 200

    def test_filters_by_status(self, admin: Client) -> None:
        failed, rendering = make_render(Status.FAILED), make_render()
        content = page(admin, f"{LIST}?status__exact=failed")
        assert str(failed) in content
        assert str(rendering) not in content

    def test_an_owner_leads_to_the_owners_renders(self, admin: Client, user: User) -> None:
        own, failed, other = make_render(owner=user), make_render(Status.FAILED, owner=user), make_render()
        assert 'href="?q=ada"' in page(admin, LIST)
        content = page(admin, f"{LIST}?q=ada&status__exact=failed")
        assert str(failed) in content
        assert str(own) not in content
        assert str(other) not in content

    def test_several_ids_find_several_renders(self, admin: Client) -> None:
        first, second, other = make_render(), make_render(), make_render()
        content = page(admin, f"{LIST}?q={first.id}+{second.render_id}")
        assert str(first) in content
        assert str(second) in content
        assert str(other) not in content

    def test_queries_do_not_grow_with_the_list(self, admin: Client, user: User, django_assert_num_queries: Any) -> None:
        make_render(owner=user)
        with django_assert_num_queries(3):  # the session, its user, the renders
            page(admin, LIST)
        for _ in range(5):
            make_render(owner=user)
        with django_assert_num_queries(3):
            page(admin, LIST)


class TestPages:
    @pytest.fixture(autouse=True)
    def two_a_page(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(CursorPages, "page_size", 2)

    def shown(self, content: str) -> list[str]:
        return re.findall(r'name="_selected_action" value="([^"]+)"', content)

    def link(self, content: str, words: str) -> str | None:
        link = re.search(rf'<a href="([^"]+)">[^<]*{words}', content)
        return LIST + html.unescape(link[1]) if link else None

    def test_each_render_is_on_one_page_while_others_arrive(self, admin: Client) -> None:
        now = timezone.now()
        renders = [make_render(created_at=now - timedelta(minutes=age)) for age in (0, 1, 1, 1, 2)]
        seen, following = [], LIST
        while following:
            content = page(admin, following)
            seen += self.shown(content)
            following = self.link(content, "Older") or ""
            make_render(created_at=now + timedelta(minutes=1))
        assert len(seen) == len(renders)
        assert set(seen) == {str(render.pk) for render in renders}

    def test_back_to_the_newer_ones(self, admin: Client) -> None:
        for age in range(4):
            make_render(created_at=timezone.now() - timedelta(minutes=age))
        first = page(admin, LIST)
        second = page(admin, str(self.link(first, "Older")))
        assert self.link(first, "Newer") is None
        assert self.link(second, "Older") is None
        assert self.shown(page(admin, str(self.link(second, "Newer")))) == self.shown(first)

    def test_a_filter_goes_along_and_another_begins_anew(self, admin: Client) -> None:
        renders = [make_render(Status.FAILED) for _ in range(3)]
        make_render()
        first = page(admin, f"{LIST}?status__exact=failed")
        second = page(admin, str(self.link(first, "Older")))
        assert {*self.shown(first), *self.shown(second)} == {str(render.pk) for render in renders}
        assert '<a href="?status__exact=cancelled">' in second

    def test_no_more_is_offered_than_is_shown(self, admin: Client) -> None:
        for _ in range(5):
            make_render()
        content = page(admin, LIST)
        assert "2 renders on this page" in content
        assert "across all pages" not in content
        assert "Show all" not in content
        assert len(self.shown(page(admin, f"{LIST}?all="))) == 2

    @pytest.mark.parametrize("query", ["p=2", "p=-1", "p=zzz", "p=cD1nYXJiYWdl", "pageSize=200", "pageSize=x"])
    def test_a_page_that_is_none_leads_to_the_list(self, admin: Client, query: str) -> None:
        response = admin.get(f"{LIST}?{query}")
        assert (response.status_code, response.headers["Location"]) == (302, f"{LIST}?e=1")

    @pytest.mark.parametrize(
        "query",
        ["", "status__exact=failed", "failure_reason__exact=lost", "q=ada", "q=boom", "q=abc", "_facets=True", "o=1"],
    )
    def test_nothing_reads_the_whole_table(self, admin: Client, user: User, query: str) -> None:
        make_render(Status.FAILED, owner=user, error="boom")
        with CaptureQueriesContext(connection) as queries:
            page(admin, f"{LIST}?{query}")
        about_renders = [found["sql"] for found in queries if 'FROM "renders_render"' in found["sql"]]
        assert about_renders
        for sql in about_renders:
            assert "COUNT(" not in sql
            assert "DISTINCT" not in sql
            assert "LIMIT" in sql
        assert 'ORDER BY "renders_render"."created_at" DESC, "renders_render"."id" DESC' in about_renders[-1]


class TestPageOfARender:
    def test_everything_is_shown_and_nothing_can_be_changed(self, admin: Client) -> None:
        render = make_render(
            input_props={"code": "<b>bold</b>", "durationInFrames": 150, "fps": 30, "theme": "dark"},
            errors=[{"message": "boom"}],
        )
        content = page(admin, f"{LIST}{render.pk}/change/")
        for words in ("&lt;b&gt;bold&lt;/b&gt;", "&quot;theme&quot;: &quot;dark&quot;", "boom", BUCKET):
            assert words in content
        assert "<b>bold</b>" not in content
        assert 'name="_save"' not in content
        assert 'type="text"' not in content

    @pytest.mark.parametrize("status", Status)
    def test_every_status_has_a_page(self, admin: Client, status: str) -> None:
        page(admin, f"{LIST}{make_render(status).pk}/change/")

    def test_a_video_can_be_watched(self, admin: Client) -> None:
        content = page(admin, f"{LIST}{make_render(Status.SUCCEEDED).pk}/change/")
        assert f'<video src="https://{BUCKET}.s3.amazonaws.com/renders/abc123/out.mp4?X-Amz-Algorithm' in content

    def test_without_credentials_it_says_why_there_is_none(self, admin: Client, settings: Any) -> None:
        settings.REMOTION_AWS_ACCESS_KEY_ID = ""
        content = page(admin, f"{LIST}{make_render(Status.SUCCEEDED).pk}/change/")
        assert "Set up Remotion Lambda to render videos." in content

    @pytest.mark.parametrize("path", ["add/", "{pk}/delete/"])
    def test_rows_are_neither_added_nor_deleted_by_hand(self, admin: Client, path: str) -> None:
        assert admin.get(LIST + path.format(pk=make_render().pk)).status_code == 403


class TestRefreshAction:
    def refresh(self, admin: Client, *renders: Render) -> str:
        data = {"action": "refresh", "_selected_action": [str(render.pk) for render in renders]}
        return admin.post(LIST, data, follow=True).content.decode()

    def test_chosen_rows_are_refreshed_and_counted(self, admin: Client, aws: ScriptedServer) -> None:
        done, bad, over, other = make_render(), make_render(), make_render(Status.FAILED), make_render()
        aws.answers[f"/{BUCKET}/renders/{done.render_id}/"] = reply(load_recording("succeeds")[-1]["progress.json"])
        aws.answers[f"/{BUCKET}/renders/{bad.render_id}/"] = s3_error(403, "AccessDenied")
        content = self.refresh(admin, done, bad, over)
        assert "Refreshed: 1 succeeded. 1 unchanged: not started yet, or ended." in content
        assert f"Render {bad}: AWS does not let these credentials" in content
        assert aws.count(f"/{BUCKET}/renders/{other.render_id}/") == 0

    def test_whoever_may_view_may_refresh(self, client: Client, user: User, aws: ScriptedServer) -> None:
        User.objects.update(is_staff=True)
        user.user_permissions.add(Permission.objects.get(codename="view_render"))
        client.force_login(user)
        assert "Refreshed: 1 rendering." in self.refresh(client, make_render())
