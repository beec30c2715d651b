"""What the admin shows where nothing is, or where somebody may not go."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from renders.models import Render
from tests.factories import make_render

pytestmark = pytest.mark.django_db


def test_who_lacks_a_permission_is_told_who_gives_it(client: Client) -> None:
    client.force_login(User.objects.create_user("<sam>", is_staff=True))
    answer = client.get("/admin/renders/quota/")
    content = answer.content.decode()
    assert answer.status_code == 403
    for said in ("signed in as <b>&lt;sam&gt;</b>", "<code>/admin/renders/quota/</code>", "Ask a superuser", "/admin/"):
        assert said in content


def test_an_address_of_nothing_is_told_with_a_way_back(client: Client, staff: User) -> None:
    client.force_login(staff)
    answer = client.get("/admin/renders/<x>/")
    content = answer.content.decode()
    assert answer.status_code == 404
    assert "<code>/admin/renders/&lt;x&gt;/</code>" in content
    assert '<a href="/admin/">' in content
    assert "Resolver404" not in content


def test_the_sentence_of_what_is_missing_is_shown(client: Client, staff: User) -> None:
    client.force_login(staff)
    render = make_render(Render.Status.FAILED)
    answer = client.get(f"/admin/renders/render/{render.pk}/picture/")
    assert answer.status_code == 404
    assert "This render has no picture." in answer.content.decode()
