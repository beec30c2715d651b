from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from renders.models import Render
from tests.factories import BUCKET, INPUT_PROPS, grant, load_recording, make_render
from tests.servers import INVOKE, ScriptedServer, reply

pytestmark = pytest.mark.django_db
Status = Render.Status
ACTIONS = [
    ("get", "", Status.RENDERING, 200, None),
    ("post", "/refresh", Status.RENDERING, 200, None),
    ("post", "/cancel", Status.QUEUED, 200, "change_render"),
    ("post", "/retry", Status.FAILED, 201, "change_render"),
    ("delete", "", Status.FAILED, 204, "delete_render"),
]
ALL = ["change_render", "delete_render", "start_render_with_priority"]


@pytest.fixture
def member() -> User:
    """A staff user without any permission."""
    return User.objects.create_user("linus", is_staff=True)


@pytest.fixture
def client(member: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(member)
    return client


@pytest.fixture
def aws(aws: ScriptedServer) -> ScriptedServer:
    aws.answers[f"/{BUCKET}/"] = reply(load_recording("succeeds")[5]["progress.json"])
    return aws


@pytest.mark.parametrize(("method", "suffix", "status", "code", "permission"), ACTIONS)
class TestOneRender:
    def test_ones_own_needs_no_permission(
        self, client: APIClient, member: User, aws: ScriptedServer, method: str, suffix: str, status: str, code: int,
        permission: str | None,
    ) -> None:  # fmt: skip
        render = make_render(status, owner=member)
        assert getattr(client, method)(f"/api/renders/{render.id}{suffix}").status_code == code

    def test_staff_without_permission_do_not_see_anothers(
        self, client: APIClient, member: User, user: User, aws: ScriptedServer, method: str, suffix: str, status: str,
        code: int, permission: str | None,
    ) -> None:  # fmt: skip
        grant(member, *ALL)  # none of which lets them see it
        render = make_render(status, owner=user)
        assert getattr(client, method)(f"/api/renders/{render.id}{suffix}").status_code == 404
        render.refresh_from_db()
        assert (render.status, Render.objects.count(), aws.requests) == (status, 1, [])

    def test_who_may_only_see_it_may_not_change_it(
        self, client: APIClient, member: User, user: User, aws: ScriptedServer, method: str, suffix: str, status: str,
        code: int, permission: str | None,
    ) -> None:  # fmt: skip
        grant(member, "view_render")
        render = make_render(status, owner=user)
        response = getattr(client, method)(f"/api/renders/{render.id}{suffix}")
        if permission is None:
            assert response.status_code == code
            return
        assert (response.status_code, response.json()["code"]) == (403, "permission_denied")
        assert f"renders.{permission}" in response.json()["error"]
        render.refresh_from_db()
        assert (render.status, Render.objects.count(), aws.requests) == (status, 1, [])

    def test_the_permission_is_enough(
        self, client: APIClient, member: User, user: User, aws: ScriptedServer, method: str, suffix: str, status: str,
        code: int, permission: str | None,
    ) -> None:  # fmt: skip
        grant(member, "view_render", *([permission] if permission else []))
        render = make_render(status, owner=user)
        assert getattr(client, method)(f"/api/renders/{render.id}{suffix}").status_code == code
        assert set(Render.objects.values_list("owner__username", flat=True)) <= {"ada"}

    def test_a_superuser_passes(
        self, client: APIClient, staff: User, user: User, aws: ScriptedServer, method: str, suffix: str, status: str,
        code: int, permission: str | None,
    ) -> None:  # fmt: skip
        client.force_authenticate(staff)
        render = make_render(status, owner=user)
        assert getattr(client, method)(f"/api/renders/{render.id}{suffix}").status_code == code


class TestList:
    def test_staff_without_permission_see_their_own(self, client: APIClient, member: User, user: User) -> None:
        own = make_render(owner=member)
        make_render(owner=user)
        make_render(owner=None)
        assert [row["id"] for row in client.get("/api/renders/").json()["results"]] == [str(own.id)]

    def test_who_may_view_renders_sees_all(self, client: APIClient, member: User, user: User) -> None:
        grant(member, "view_render")
        renders = [make_render(owner=owner) for owner in (member, user, None)]
        seen = {row["id"] for row in client.get("/api/renders/").json()["results"]}
        assert seen == {str(render.id) for render in renders}


class TestProgress:
    @pytest.mark.parametrize(("permissions", "code"), [([], 404), (["view_render"], 200)])
    def test_anothers_progress_is_for_who_may_view_it(
        self, client: APIClient, member: User, user: User, aws: ScriptedServer, permissions: list[str], code: int
    ) -> None:
        grant(member, *permissions)
        render = make_render(owner=user)
        for body in ({"id": str(render.id)}, {"id": render.render_id, "bucketName": BUCKET}):
            assert client.post("/api/lambda/progress", body, format="json").status_code == code


class TestPriority:
    def start(self, client: APIClient, priority: int) -> Any:
        return client.post("/api/renders/", {"inputProps": INPUT_PROPS, "priority": priority}, format="json")

    @pytest.mark.parametrize("priority", [1, 50])
    def test_over_zero_it_needs_its_permission(
        self, client: APIClient, member: User, aws: ScriptedServer, priority: int
    ) -> None:
        response = self.start(client, priority)
        assert (response.status_code, response.json()["code"]) == (403, "permission_denied")
        assert "renders.start_render_with_priority" in response.json()["error"]
        assert not Render.objects.exists()
        assert aws.count(INVOKE) == 0
        grant(member, "start_render_with_priority")
        client.force_authenticate(User.objects.get(pk=member.pk))
        assert self.start(client, priority).status_code == 201

    @pytest.mark.parametrize("priority", [0, -50])
    def test_up_to_zero_it_needs_none(self, client: APIClient, aws: ScriptedServer, priority: int) -> None:
        assert self.start(client, priority).status_code == 201

    def test_the_body_is_checked_first(self, client: APIClient, aws: ScriptedServer) -> None:
        assert self.start(client, 51).status_code == 400

    def test_an_anonymous_user_is_asked_to_sign_in(self, aws: ScriptedServer, settings: Any) -> None:
        settings.API_ALLOW_ANONYMOUS = True
        assert self.start(APIClient(), 1).status_code == 401
        assert not Render.objects.exists()
