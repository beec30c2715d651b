import html
import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from renders.models import Render
from tests.factories import BUCKET, grant, load_recording, make_render
from tests.servers import ScriptedServer, reply, s3_error

pytestmark = pytest.mark.django_db
LIST = "/admin/renders/render/"
Status = Render.Status


def page(admin: Client, path: str) -> str:
    response = admin.get(path)
    assert response.status_code == 200
    return response.content.decode()


class TestPageOfARender:
    def test_everything_is_shown_and_nothing_can_be_changed(self, admin: Client) -> None:
        render = make_render(
            input_props={"code": "<b>bold</b>", "durationInFrames": 150, "fps": 30, "theme": "dark"},
            errors=[{"message": "boom"}],
        )
        content = page(admin, f"{LIST}{render.pk}/change/")
        for words in ("boom", BUCKET):
            assert words in content
        text = html.unescape(re.sub(r"<[^>]*>", "", content))
        assert "<b>bold</b>" in text
        assert '"theme": "dark"' in text
        assert "<b>bold</b>" not in content
        assert 'name="_save"' not in content
        named = set(re.findall(r'<(?:input|select|textarea)[^>]* name="(\w+)"', content))
        assert named == {"csrfmiddlewaretoken", "s"}  # s: the search of Unfold's commands

    @pytest.mark.parametrize("status", Status)
    def test_every_status_has_a_page(self, admin: Client, status: str) -> None:
        page(admin, f"{LIST}{make_render(status).pk}/change/")

    def test_a_video_can_be_watched(self, admin: Client) -> None:
        content = page(admin, f"{LIST}{make_render(Status.SUCCEEDED).pk}/change/")
        assert f'<video src="https://{BUCKET}.s3.amazonaws.com/renders/abc123/out.mp4?X-Amz-Algorithm' in content

    def test_retries_add_no_queries(self, admin: Client, django_assert_max_num_queries: Any) -> None:
        last = first = make_render(Status.FAILED)
        path = f"{LIST}{first.pk}/change/"
        with CaptureQueriesContext(connection) as queries:
            page(admin, path)
        for _ in range(5):
            last = make_render(Status.FAILED, retry_of=first)
        with django_assert_max_num_queries(len(queries) + 1):  # one more generation is looked for
            assert str(last) in page(admin, path)

    @pytest.mark.parametrize(("costs", "told"), [((None, 0.02), "0.0200\N{NO-BREAK SPACE}USD"), ((None, None), "–")])
    def test_what_all_repeats_cost_is_told_as_far_as_it_is_known(
        self, admin: Client, costs: tuple[float | None, ...], told: str
    ) -> None:
        first = make_render(Status.FAILED, cost=costs[0])
        last = make_render(Status.FAILED, cost=costs[1], currency="USD", retry_of=first)
        content = page(admin, f"{LIST}{last.pk}/change/")
        assert f"Together: {told}<" in content

    def test_text_of_users_and_of_remotion_is_escaped(self, admin: Client) -> None:
        attack = "<script>alert(1)</script>"
        error = {"message": attack, "stack": attack, "explanation": attack, "isFatal": True}
        fields = {"external_id": attack, "metadata": {"note": attack}, "options": {"note": attack}}
        props = {"code": attack, "title": attack}
        failed = make_render(Status.FAILED, error=attack, errors=[error], input_props=props, **fields)
        assert attack not in page(admin, f"{LIST}{failed.pk}/change/")

    def test_a_code_that_is_no_text_is_one_of_the_input_props(self, admin: Client) -> None:
        render = make_render(input_props={"code": {"lines": 3}})
        content = page(admin, f"{LIST}{render.pk}/change/")
        assert 'id="page-code"' not in content
        assert '"lines": 3' in html.unescape(re.sub(r"<[^>]*>", "", content))

    def test_its_bar_is_live_while_it_is_active(self, admin: Client) -> None:
        for render, is_live in ((make_render(), True), (make_render(Status.SUCCEEDED), False)):
            content = page(admin, f"{LIST}{render.pk}/change/")
            assert (f'data-render="{render.pk}" data-active' in content) == is_live

    def test_it_is_shown_to_whoever_may_view_without_buttons_that_change_it(self, client: Client, user: User) -> None:
        User.objects.update(is_staff=True)
        grant(user, "view_render")
        client.force_login(user)
        content = page(client, f"{LIST}{make_render().pk}/change/")
        assert 'id="button-refresh"' in content
        assert 'id="button-cancel"' not in content
        assert 'id="button-change"' not in content

    def test_without_credentials_it_says_why_there_is_none(self, admin: Client, settings: Any) -> None:
        settings.REMOTION_AWS_ACCESS_KEY_ID = ""
        content = page(admin, f"{LIST}{make_render(Status.SUCCEEDED).pk}/change/")
        assert "Set up Remotion Lambda to render videos." in content

    def test_rows_are_not_deleted_by_hand(self, admin: Client) -> None:
        assert admin.get(f"{LIST}{make_render().pk}/delete/").status_code == 403


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
