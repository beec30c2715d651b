import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from renders.models import ApiKey
from renders.services.api_keys import create_api_key
from tests.factories import grant

pytestmark = pytest.mark.django_db
LIST = "/admin/renders/apikey/"
ADD = f"{LIST}add/"


@pytest.fixture
def support(client: Client) -> Client:
    """Staff who may make keys, and are no superuser."""
    user = User.objects.create_user("linus", is_staff=True)
    grant(user, "add_apikey", "view_apikey")
    user.user_permissions.add(Permission.objects.get(codename="view_user"))
    client.force_login(user)
    return client


def add(client: Client, owner: User, **fields: Any) -> Any:
    return client.post(ADD, {"user": owner.pk, "name": "shop", "days": "", **fields})


def shown_key(page: str) -> str:
    return re.findall(r"rhub_[0-9a-f]{64}", page)[0]


class TestAdd:
    def test_the_key_is_shown_once_and_works(self, admin: Client, user: User) -> None:
        response = add(admin, user)
        secret = shown_key(response.content.decode())
        assert "no-store" in response["Cache-Control"]
        assert APIClient(headers={"Authorization": f"Bearer {secret}"}).get("/api/renders/").status_code == 200
        for path in (LIST, f"{LIST}{ApiKey.objects.get().pk}/change/"):
            page = admin.get(path)
            assert page.status_code == 200
            assert secret not in page.content.decode()

    def test_it_is_kept_nowhere(self, admin: Client, user: User) -> None:
        secret = shown_key(add(admin, user).content.decode())
        stored = [str(row) for model in (ApiKey, LogEntry) for row in model.objects.values()]
        stored += [str(session.get_decoded()) for session in Session.objects.all()]
        stored += [cookie.value for cookie in admin.cookies.values()]
        assert len(stored) >= 4
        assert not any(secret in text for text in stored)

    def test_scopes_and_days(self, admin: Client, user: User) -> None:
        add(admin, user, scopes=["renders:read", "templates:read"], days="30")
        key = ApiKey.objects.get()
        assert (key.user, key.name, key.scopes) == (user, "shop", ["renders:read", "templates:read"])
        assert key.expiry is not None
        assert timedelta(days=29) < key.expiry - timezone.now() <= timedelta(days=30)

    def test_it_is_in_the_history(self, admin: Client, user: User) -> None:
        add(admin, user)
        entry = LogEntry.objects.get()
        assert entry.is_addition()
        assert entry.object_id == ApiKey.objects.get().pk

    @pytest.mark.parametrize(
        "wrong", [{"name": ""}, {"days": "0"}, {"days": "4000"}, {"scopes": ["all"]}, {"user": 0}, {"name": "x" * 101}]
    )
    def test_what_cannot_be_used_is_refused(self, admin: Client, user: User, wrong: dict[str, Any]) -> None:
        response = add(admin, user, **wrong)
        assert response.status_code == 200
        assert "rhub_" not in response.content.decode()
        assert not ApiKey.objects.exists()

    def test_of_a_user_who_has_left_it_is_refused(self, admin: Client, user: User) -> None:
        User.objects.filter(pk=user.pk).update(is_active=False)
        add(admin, user)
        assert not ApiKey.objects.exists()

    def test_the_form_offers_oneself(self, admin: Client, staff: User) -> None:
        assert f'<option value="{staff.pk}" selected>grace</option>' in admin.get(ADD).content.decode()


class TestWhoMakesNoSuperuser:
    def test_makes_keys_of_programs_and_their_own(self, support: Client, user: User) -> None:
        add(support, user)
        add(support, User.objects.get(username="linus"))
        assert ApiKey.objects.count() == 2

    def test_makes_none_of_other_staff(self, support: Client, staff: User) -> None:
        add(support, staff)
        add(support, User.objects.create_user("barbara", is_staff=True))
        assert not ApiKey.objects.exists()

    def test_revokes_none_without_the_permission(self, support: Client, user: User) -> None:
        key, _ = create_api_key(user=user, name="shop")
        assert support.post(f"{LIST}{key.pk}/delete/", {"post": "yes"}).status_code == 403
        assert ApiKey.objects.exists()


class TestKeys:
    def test_the_list(self, admin: Client, user: User) -> None:
        create_api_key(user=user, name="old", lifetime=timedelta(days=-1))
        key, _ = create_api_key(user=user, name="shop", scopes=["renders:read"])
        page = admin.get(LIST).content.decode()
        for text in ("old", "Expired", "shop", key.token_key, "renders:read", "ada"):
            assert text in page

    @pytest.mark.parametrize("text", ["shop", "ada", "rhub_"])
    def test_search(self, admin: Client, user: User, text: str) -> None:
        create_api_key(user=user, name="shop")
        assert "1 API key" in admin.get(LIST, {"q": text}).content.decode()

    def test_nothing_can_be_changed(self, admin: Client, user: User) -> None:
        key, _ = create_api_key(user=user, name="shop")
        page = admin.get(f"{LIST}{key.pk}/change/").content.decode()
        assert 'name="name"' not in page
        assert admin.post(f"{LIST}{key.pk}/change/", {"name": "other"}).status_code == 403
        assert ApiKey.objects.get().name == "shop"

    def test_deleting_revokes(self, admin: Client, user: User) -> None:
        key, secret = create_api_key(user=user, name="shop")
        assert admin.post(f"{LIST}{key.pk}/delete/", {"post": "yes"}).status_code == 302
        client = APIClient(headers={"Authorization": f"Bearer {secret}"})
        assert client.get("/api/renders/").status_code == 401

    def test_several_are_revoked(self, admin: Client, user: User) -> None:
        keys = [create_api_key(user=user, name=f"shop {number}")[0] for number in range(3)]
        chosen = {"action": "delete_selected", "_selected_action": [key.pk for key in keys[:2]], "post": "yes"}
        admin.post(LIST, chosen)
        assert list(ApiKey.objects.all()) == [keys[2]]
