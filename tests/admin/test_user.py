from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from renders.models import Quota, UsageDay
from renders.services.api_keys import create_api_key
from tests.factories import make_endpoint, make_render

pytestmark = pytest.mark.django_db
LIST = "/admin/auth/user/"


@pytest.fixture
def support(client: Client) -> Client:
    """Somebody who may change users, and is no superuser."""
    sam = User.objects.create_user("sam", is_staff=True)
    sam.user_permissions.set(Permission.objects.filter(content_type__model="user"))
    client.force_login(sam)
    return client


def page(client: Client, user: User) -> str:
    answer = client.get(f"{LIST}{user.pk}/change/")
    assert answer.status_code == 200
    return answer.content.decode()


class TestList:
    @pytest.mark.parametrize("text", ["ADA", "ada@EXAMPLE", "lovelace"])
    def test_finds_by_name_and_address_ignoring_case(self, admin: Client, text: str) -> None:
        User.objects.create_user("ada", "ada@example.com", last_name="Lovelace")
        assert [row.username for row in admin.get(f"{LIST}?q={text}").context["cl"].result_list] == ["ada"]

    def test_tells_customers_from_staff(self, admin: Client, user: User) -> None:
        User.objects.create_user("gone", is_active=False)
        content = admin.get(LIST).content.decode()
        for word in ("Customer", "Superuser", "Inactive"):
            assert word in content


class TestPage:
    def test_leads_to_what_is_theirs(self, admin: Client, user: User) -> None:
        create_api_key(user=user, name="shop")
        make_endpoint(user, "https://example.com/hook")
        quota = Quota.objects.create(owner=user)
        today = datetime.now(UTC).date()
        UsageDay.objects.create(day=today, owner=user, region="us-east-1", currency="USD", cost=1.5, renders=3)
        content = page(admin, user)
        assert f"/admin/renders/render/?owner__id__exact={user.pk}" in content
        assert f"/admin/renders/quota/{quota.pk}/change/" in content
        for text in ("1 key", "1 endpoint", "1.5000\xa0USD for 3 renders"):
            assert text in content

    def test_says_which_quota_holds(self, admin: Client, user: User) -> None:
        assert "No limits" in page(admin, user)
        Quota.objects.create()
        assert "That of everybody else" in page(admin, user)

    def test_a_password_is_set_in_a_form(self, admin: Client, user: User) -> None:
        assert admin.get(f"{LIST}{user.pk}/password/").status_code == 200
        body = {"password1": "long-and-secret", "password2": "long-and-secret", "usable_password": "true"}
        assert admin.post(f"{LIST}{user.pk}/password/", body).status_code == 302
        user.refresh_from_db()
        assert user.check_password("long-and-secret")

    def test_one_is_made(self, admin: Client) -> None:
        body = {"username": "new", "password1": "long-and-secret", "password2": "long-and-secret"}
        assert admin.post(f"{LIST}add/", {**body, "usable_password": "true"}).status_code == 302
        assert User.objects.filter(username="new").exists()


class TestRights:
    def test_only_a_superuser_gives_them(self, support: Client, user: User) -> None:
        body = {"username": "ada", "is_staff": "on", "is_superuser": "on", "is_active": "on", "email": "a@example.com"}
        assert support.post(f"{LIST}{user.pk}/change/", body).status_code == 302
        user.refresh_from_db()
        assert (user.email, user.is_staff, user.is_superuser) == ("a@example.com", False, False)

    def test_nobody_else_changes_a_superuser(self, support: Client, staff: User) -> None:
        assert 'name="_save"' not in page(support, staff)
        assert support.get(f"{LIST}{staff.pk}/password/").status_code == 403
        assert support.post(f"{LIST}{staff.pk}/delete/", {"post": "yes"}).status_code == 403

    def test_nobody_else_sets_a_password_for_others_who_use_the_admin(self, support: Client) -> None:
        other = User.objects.create_user("otto", is_staff=True)
        assert 'name="_save"' not in page(support, other)
        assert support.get(f"{LIST}{other.pk}/password/").status_code == 403
        assert support.post(f"{LIST}{other.pk}/delete/", {"post": "yes"}).status_code == 403

    def test_who_has_renders_is_not_deleted(self, admin: Client, user: User) -> None:
        assert admin.get(f"{LIST}{user.pk}/delete/").status_code == 200
        make_render(owner=user)
        assert admin.get(f"{LIST}{user.pk}/delete/").status_code == 403


class TestGroups:
    def test_have_a_list_and_a_form(self, admin: Client) -> None:
        assert admin.get("/admin/auth/group/").status_code == 200
        assert admin.get("/admin/auth/group/add/").status_code == 200

    def test_only_a_superuser_changes_them(self, support: Client) -> None:
        group = Group.objects.create(name="support")
        may = Permission.objects.filter(content_type__model="group")
        User.objects.get(username="sam").user_permissions.add(*may)
        body = {"name": "changed"}
        assert support.post(f"/admin/auth/group/{group.pk}/change/", body).status_code == 403
        assert support.post("/admin/auth/group/add/", body).status_code == 403
        assert support.get(f"/admin/auth/group/{group.pk}/change/").status_code == 200
