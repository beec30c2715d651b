"""The side navigation, the times, the command palette, and what pages may load."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import strip_tags

from renderhub.content_security import content_security_policy
from renders.models import Batch, Render
from renders.services.api_keys import create_api_key
from tests.factories import grant, make_render, make_template

pytestmark = pytest.mark.django_db


@pytest.fixture
def support(client: Client) -> Client:
    """Somebody of the staff without any permission."""
    client.force_login(User.objects.create_user("sam", is_staff=True))
    return client


def found(client: Client, text: str) -> list[str]:
    """Return the titles of what the command palette finds."""
    answer = client.get(reverse("admin:search"), {"s": text, "extended": "1"})
    assert answer.status_code == 200
    return [result.title for result in answer.context["results"]]


class TestNavigation:
    def test_each_line_leads_to_a_page(self, admin: Client) -> None:
        groups = admin.get("/admin/auth/user/").context["sidebar_navigation"]
        links = [str(item["link"]) for group in groups for item in group["items"]]
        assert len(links) > 10
        add = reverse("admin:renders_render_add")
        assert {link: admin.get(link).status_code for link in links if link != add} == dict.fromkeys(
            (link for link in links if link != add), 200
        )

    def test_shows_only_what_ones_permissions_allow(self, support: Client) -> None:
        page = support.get("/admin/").content.decode()
        assert "/admin/renders/template/" not in page
        grant(User.objects.get(username="sam"), "view_template")
        page = support.get("/admin/").content.decode()
        assert "/admin/renders/template/" in page
        assert "/admin/renders/quota/" not in page

    def test_marks_where_one_is(self, admin: Client) -> None:
        groups = admin.get("/admin/renders/render/").context["sidebar_navigation"]
        assert [item["title"] for group in groups for item in group["items"] if item["active"]] == ["Renders"]

    def test_the_way_to_a_page_names_a_row_as_it_is_written(self, admin: Client) -> None:
        make_render(render_id="t16dkeluyw")
        render = Render.objects.get()
        page = admin.get(f"/admin/renders/render/{render.pk}/change/").content.decode()
        way = re.search(r"<h1.*?</h1>", page, re.DOTALL)
        assert way is not None
        assert strip_tags(way[0]).replace("chevron_right", " ").split()[-2:] == ["Renders", "t16dkeluyw"]


class TestCommandPalette:
    def test_finds_a_render_by_either_id(self, admin: Client, user: User) -> None:
        render = make_render(render_id="abc123defg", owner=user)
        assert found(admin, "abc123defg") == found(admin, str(render.pk)) == ["abc123defg"]

    def test_finds_renders_by_the_beginning_of_either_id(self, admin: Client) -> None:
        render = make_render(render_id="abc123defg")
        assert found(admin, "abc12") == ["abc123defg"]
        assert "abc123defg" in found(admin, str(render.pk)[:13])
        assert found(admin, "xbc12") == []

    def test_finds_owners_by_name_and_address_ignoring_case(self, admin: Client) -> None:
        User.objects.create_user("Lovelace", "ada@example.com")
        assert "Lovelace" in found(admin, "lOVE")
        assert "Lovelace" in found(admin, "ADA@")

    def test_finds_templates_batches_and_keys(self, admin: Client, user: User) -> None:
        make_template("promo", title="For the shop")
        batch = Batch.objects.create(owner=user)
        key, secret = create_api_key(user=user, name="shop", scopes=[])
        assert found(admin, "THE SHOP") == ["promo"]
        assert found(admin, str(batch.pk)) == [str(batch.pk)]
        assert found(admin, secret[:12]) == [str(key)]

    def test_finds_lists_by_their_name(self, admin: Client) -> None:
        assert "Quotas" in found(admin, "quota")

    def test_finds_nothing_that_one_may_not_see(self, support: Client, user: User) -> None:
        render = make_render(render_id="abc123defg", owner=user)
        make_template("promo")
        assert found(support, "abc123defg") == found(support, str(render.pk)) == found(support, "promo") == []
        assert found(support, user.username) == []

    def test_finds_what_was_made_a_moment_after_an_earlier_search(self, admin: Client) -> None:
        make_template("promo-1")
        assert found(admin, "promo") == ["promo-1"]
        make_template("promo-2")
        assert found(admin, "promo") == ["promo-1", "promo-2"]

    @pytest.mark.parametrize("query", ["", "s=", "s=%00", "s=a&page=x", "s=" + "a" * 5000])
    def test_takes_anything(self, admin: Client, query: str) -> None:
        assert admin.get(f"/admin/search/?{query}").status_code == 200


class TestTimes:
    def test_have_seconds_and_a_zone(self) -> None:
        at = timezone.now().replace(year=2026, month=3, day=4, hour=5, minute=6, second=7)
        assert formats.localize(at) == "2026-03-04 05:06:07 UTC"


class TestContentSecurityPolicy:
    def test_is_sent_with_pages(self, admin: Client) -> None:
        policy = admin.get("/admin/")["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]

    def test_is_not_sent_with_json(self, admin: Client) -> None:
        assert "Content-Security-Policy" not in admin.get("/api/options/")

    def test_lets_media_come_from_s3_or_what_stands_in_for_it(self) -> None:
        policy = content_security_policy(s3_endpoint="http://a:b@127.0.0.1:9000/x")["DIRECTIVES"]
        assert policy["media-src"][-1] == policy["img-src"][-1] == "http://127.0.0.1:9000"
        assert "https://*.amazonaws.com" in policy["media-src"]

    def test_scripts_of_pages_are_files(self, admin: Client) -> None:
        """The policy would forbid any other."""
        pages = ("/admin/", "/admin/renders/render/", "/admin/renders/template/add/", "/api/docs/", "/api/redoc/")
        for page in pages:
            for script in admin.get(page).content.decode().split("<script")[1:]:
                assert "src=" in script.partition(">")[0], page


class TestSigningIn:
    def test_leads_to_the_dashboard(self, client: Client) -> None:
        User.objects.create_superuser("ada", password="a-password")
        answer = client.post("/admin/login/", {"username": "ada", "password": "a-password"})
        assert answer["Location"] == "/admin/"

    @override_settings(DEBUG=True)
    def test_the_dashboard_leads_to_it(self, client: Client) -> None:
        assert client.get("/admin/")["Location"] == "/admin/login/?next=/admin/"
