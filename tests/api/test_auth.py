from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from renders.models import Render
from renders.services.api_keys import create_api_key
from tests.api.requests import post
from tests.factories import BODY, make_render
from tests.servers import ScriptedServer

pytestmark = pytest.mark.django_db


def bearer(user: User, **options: Any) -> str:
    """Return an ``Authorization`` header with a new key."""
    return f"Bearer {create_api_key(user=user, name='shop', **options)[1]}"


class TestWhoMay:
    PATHS = [("post", "/api/lambda/render"), ("post", "/api/lambda/progress"), ("get", "/api/renders/")]

    @pytest.mark.parametrize(("method", "path"), PATHS)
    def test_nobody_is_401(self, aws: ScriptedServer, method: str, path: str) -> None:
        response = getattr(APIClient(), method)(path, BODY, format="json")
        assert response.status_code == 401
        assert "Bearer" in response.json()["error"]
        assert not Render.objects.exists()

    def test_anybody_where_that_is_allowed(self, aws: ScriptedServer, settings: Any) -> None:
        settings.API_ALLOW_ANONYMOUS = True
        assert post(APIClient(), "/api/lambda/render", BODY).status_code == 200
        assert Render.objects.get().owner is None

    def test_a_key(self, aws: ScriptedServer, user: User) -> None:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=bearer(user))
        assert post(client, "/api/lambda/render", BODY).status_code == 200
        assert Render.objects.get().owner == user

    @pytest.mark.parametrize("wrong", ["nonsense", "rhub_", f"rhub_{'0' * 64}"])
    def test_a_wrong_key(self, user: User, wrong: str) -> None:
        response = APIClient(headers={"Authorization": f"Bearer {wrong}"}).get("/api/renders/")
        assert (response.status_code, response.json()["code"]) == (401, "authentication_failed")

    def test_the_right_beginning_is_not_enough(self, user: User) -> None:
        response = APIClient(headers={"Authorization": bearer(user)[:-1] + "g"}).get("/api/renders/")
        assert response.status_code == 401

    @pytest.mark.parametrize("is_open", [False, True])
    @pytest.mark.parametrize(
        "header",
        [
            "Token KEY",
            "Basic YTpi",
            "KEY",
            "Bearers KEY",
            "Bearer",
            "Bearer  ",
            "Bearer a b",
            "Bearer \xff",
            "Bearer a\0b",
            "",
        ],
    )
    def test_a_header_that_cannot_be_read_is_never_taken_as_none(
        self, aws: ScriptedServer, user: User, settings: Any, header: str, is_open: bool
    ) -> None:
        settings.API_ALLOW_ANONYMOUS = is_open
        _, key = create_api_key(user=user, name="shop")
        client = APIClient(headers={"Authorization": header.replace("KEY", key)})
        for response in (client.get("/api/renders/"), post(client, "/api/lambda/render", BODY)):
            assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
            assert "send `Authorization: Bearer <your API key>`" in response.json()["error"]
            assert response.json()["code"] == "authentication_failed"
        assert not Render.objects.exists()

    def test_a_session_does_not_make_up_for_it(self, user: User) -> None:
        client = APIClient(headers={"Authorization": "Bearer nonsense"})
        client.force_login(user)
        assert client.get("/api/renders/").status_code == 401

    def test_a_key_of_somebody_who_has_left(self, user: User) -> None:
        client = APIClient(headers={"Authorization": bearer(user)})
        User.objects.update(is_active=False)
        response = client.get("/api/renders/")
        assert (response.status_code, response.json()["code"]) == (401, "authentication_failed")
        assert "no active user" in response.json()["error"]

    def test_without_any_header_one_is_asked_for(self) -> None:
        response = APIClient().get("/api/renders/")
        assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
        assert response.json()["code"] == "not_authenticated"

    def test_a_session_needs_its_csrf_token(self, aws: ScriptedServer, user: User) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(user)
        assert client.get("/api/renders/").status_code == 200
        response = client.post("/api/lambda/render", BODY, content_type="application/json")
        assert (response.status_code, response.json()["code"]) == (403, "permission_denied")
        assert "X-CSRFToken" in response.json()["error"]
        assert not Render.objects.exists()

    def test_owner_and_staff_see_it_and_others_do_not(self, api: APIClient, user: User, staff: User) -> None:
        own, others = make_render(owner=user), make_render(owner=staff)
        assert [row["id"] for row in api.get("/api/renders/").json()["results"]] == [str(own.id)]
        assert api.get(f"/api/renders/{others.id}").status_code == 404
        assert api.post(f"/api/renders/{others.id}/refresh").status_code == 404
        api.force_authenticate(staff)
        assert len(api.get("/api/renders/").json()["results"]) == 2
