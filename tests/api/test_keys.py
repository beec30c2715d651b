from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from renders.api.actions import actions_by_method
from renders.api.endpoint import Endpoint
from renders.api.urls import urlpatterns
from renders.models import ApiKey, Scope
from renders.services.api_keys import create_api_key
from tests.factories import make_template

pytestmark = pytest.mark.django_db


def client_with(user: User, *scopes: str) -> tuple[APIClient, ApiKey]:
    key, secret = create_api_key(user=user, name="shop", scopes=scopes)
    return APIClient(headers={"Authorization": f"Bearer {secret}"}), key


class TestList:
    def test_newest_first_and_without_the_secret(self, user: User) -> None:
        old, _ = create_api_key(user=user, name="old", scopes=["renders:read"], lifetime=timedelta(days=-1))
        client, key = client_with(user)
        response = client.get("/api/keys/")
        key.refresh_from_db()
        first, second = response.json()["results"]
        assert first == {
            "id": key.token_key,
            "name": "shop",
            "scopes": [],
            "createdAt": first["createdAt"],
            "expiresAt": None,
            "lastUsedAt": first["lastUsedAt"],
            "isExpired": False,
        }
        assert first["lastUsedAt"]
        assert (second["name"], second["isExpired"], second["lastUsedAt"]) == ("old", True, None)
        assert second["id"] == old.token_key
        assert old.digest not in response.content.decode()

    def test_only_ones_own(self, user: User, staff: User) -> None:
        _, others = client_with(staff)
        client, key = client_with(user)
        assert [row["id"] for row in client.get("/api/keys").json()["results"]] == [key.token_key]
        response = client.delete(f"/api/keys/{others.token_key}/")
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
        assert ApiKey.objects.filter(pk=others.pk).exists()

    def test_superusers_too_see_their_own_alone(self, user: User, staff: User) -> None:
        _, others = client_with(user)
        client, _ = client_with(staff)
        assert len(client.get("/api/keys/").json()["results"]) == 1
        assert client.delete(f"/api/keys/{others.token_key}/").status_code == 404

    def test_in_pages(self, user: User) -> None:
        client, _ = client_with(user)
        client_with(user)
        page = client.get("/api/keys/?pageSize=1").json()
        other = client.get(page["next"]).json()
        assert page["results"][0]["id"] != other["results"][0]["id"]
        assert other["next"] is None

    def test_nobody_has_keys(self, settings: Any) -> None:
        settings.API_ALLOW_ANONYMOUS = True
        assert APIClient().get("/api/keys/").status_code == 401

    def test_making_one_is_told_how(self, user: User) -> None:
        client, _ = client_with(user)
        response = client.post("/api/keys/", {}, format="json")
        assert response.status_code == 405
        assert "create_api_key" in response.json()["error"]


class TestRevoke:
    def test_the_next_request_is_refused(self, user: User) -> None:
        client, key = client_with(user)
        assert client.delete(f"/api/keys/{key.token_key}/").status_code == 204
        assert client.get("/api/keys/").status_code == 401

    def test_a_session_revokes(self, user: User) -> None:
        _, key = client_with(user)
        client = Client()
        client.force_login(user)
        assert client.delete(f"/api/keys/{key.token_key}").status_code == 204
        assert not ApiKey.objects.exists()

    @pytest.mark.parametrize("name", ["rhub_0000000000", "x" * 300, "%00", "é"])
    def test_one_that_is_not_there(self, user: User, name: str) -> None:
        client, _ = client_with(user)
        response = client.delete(f"/api/keys/{name}/")
        assert (response.status_code, response.json()["code"]) == (404, "not_found")

    def test_a_key_with_scopes_revokes_itself_alone(self, user: User) -> None:
        _, other = client_with(user)
        client, key = client_with(user, Scope.TEMPLATES_READ)
        response = client.delete(f"/api/keys/{other.token_key}/")
        assert (response.status_code, response.json()["code"]) == (403, "scope_missing")
        assert client.get("/api/keys/").status_code == 403
        assert client.delete(f"/api/keys/{key.token_key}/").status_code == 204
        assert list(ApiKey.objects.all()) == [other]

    def test_a_body_is_refused(self, user: User) -> None:
        client, key = client_with(user)
        response = client.delete(f"/api/keys/{key.token_key}/", {"all": True}, format="json")
        assert (response.status_code, response.json()["code"]) == (400, "unknown_field")
        assert ApiKey.objects.exists()


class TestScopes:
    """What is asked for is refused with 403 unless the key's scopes allow it; else anything but 401 and 403."""

    PATH = "/api/renders/7d0e2ac4-5d2f-4c57-9f4c-8b6a0f2f7a11"
    NEEDS = [
        ("get", "/api/renders/", Scope.RENDERS_READ),
        ("head", "/api/renders/", Scope.RENDERS_READ),
        ("get", PATH, Scope.RENDERS_READ),
        ("post", f"{PATH}/refresh", Scope.RENDERS_READ),
        ("post", "/api/lambda/progress", Scope.RENDERS_READ),
        ("post", "/api/renders/", Scope.RENDERS_WRITE),
        ("post", f"{PATH}/cancel", Scope.RENDERS_WRITE),
        ("post", f"{PATH}/retry", Scope.RENDERS_WRITE),
        ("delete", PATH, Scope.RENDERS_WRITE),
        ("post", "/api/lambda/render", Scope.RENDERS_WRITE),
        ("get", "/api/templates/", Scope.TEMPLATES_READ),
        ("get", "/api/templates/promo", Scope.TEMPLATES_READ),
    ]

    @pytest.mark.parametrize("scope", Scope.values)
    @pytest.mark.parametrize(("method", "path", "needed"), NEEDS)
    def test_each_allows_its_own(self, user: User, method: str, path: str, needed: str, scope: str) -> None:
        client, _ = client_with(user, scope)
        response = getattr(client, method)(path, format="json")
        if scope == needed:
            assert response.status_code not in (401, 403)
        else:
            assert response.status_code == 403
            if method != "head":
                assert response.json()["code"] == "scope_missing"
                assert needed in response.json()["error"]

    @pytest.mark.parametrize(("method", "path", "needed"), NEEDS)
    def test_without_scopes_it_may_all(self, user: User, method: str, path: str, needed: str) -> None:
        client, _ = client_with(user)
        assert getattr(client, method)(path, format="json").status_code not in (401, 403)

    def test_each_action_says_which_scope_it_needs(self) -> None:
        """An action that is new belongs to a scope, or into this list on purpose."""
        views: list[Any] = [pattern.callback for pattern in urlpatterns]
        actions = {
            (view.cls, action)
            for view in views
            if issubclass(getattr(view, "cls", object), Endpoint) and view.cls.authentication_classes
            for action in (getattr(view, "actions", None) or actions_by_method(view.cls)).values()
        }
        assert len(actions) >= 15
        without = {(cls.__name__, action) for cls, action in actions if action not in cls.required_scopes}
        assert without == {
            ("KeyViewSet", "list"),
            ("TemplateViewSet", "create"),
            ("TemplateViewSet", "partial_update"),
        }

    @pytest.mark.parametrize(("method", "path"), [("post", "/api/templates/"), ("patch", "/api/templates/promo")])
    def test_what_has_no_scope_needs_a_key_without(self, staff: User, method: str, path: str) -> None:
        make_template()
        limited, _ = client_with(staff, *Scope.values)
        response = getattr(limited, method)(path, {}, format="json")
        assert (response.status_code, response.json()["code"]) == (403, "scope_missing")
        unlimited, _ = client_with(staff)
        assert getattr(unlimited, method)(path, {"title": "Promo"}, format="json").status_code in (200, 400)

    @pytest.mark.parametrize("scope", Scope.values)
    def test_options_are_for_every_key(self, user: User, scope: str) -> None:
        client, _ = client_with(user, scope)
        assert client.get("/api/options/").status_code == 200
        assert client.options("/api/renders/").status_code == 200

    def test_a_method_that_is_not_taken_is_405(self, user: User) -> None:
        client, _ = client_with(user, Scope.RENDERS_READ)
        assert client.put("/api/renders/", {}, format="json").status_code == 405

    def test_a_scope_gives_no_permission(self, user: User) -> None:
        client, _ = client_with(user, *Scope.values)
        assert client.get("/api/templates/?enabled=false").status_code == 403

    def test_anonymous_access_does_not_widen_a_key(self, user: User, settings: Any) -> None:
        settings.API_ALLOW_ANONYMOUS = True
        client, _ = client_with(user, Scope.TEMPLATES_READ)
        assert client.get("/api/renders/").status_code == 403
