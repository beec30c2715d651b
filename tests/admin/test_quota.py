import pytest
from django.contrib.auth.models import User
from django.test import Client

from renders.models import Quota, Render
from tests.factories import make_render

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Client, staff: User) -> Client:
    client.force_login(staff)
    return client


class TestQuotaAdmin:
    def test_a_quota_is_made_and_shown_beside_what_is_used(self, admin: Client, user: User) -> None:
        answer = admin.post("/admin/renders/quota/add/", {"owner": user.pk, "max_functions": 8, "max_waiting": ""})
        assert answer.status_code == 302, answer.context["adminform"].form.errors
        quota = Quota.objects.get()
        assert (quota.owner, quota.max_functions, quota.max_waiting) == (user, 8, None)
        make_render(owner=user, cost=0.5)
        make_render(Render.Status.QUEUED, owner=user)
        page = admin.get(f"/admin/renders/quota/{quota.pk}/change/").content.decode()
        assert "0.00 spent, 0.50 expected" in page

    def test_a_second_one_for_everybody_is_refused_in_words(self, admin: Client) -> None:
        Quota.objects.create(max_functions=5)
        answer = admin.post("/admin/renders/quota/add/", {"max_functions": 8})
        assert answer.status_code == 200
        assert Quota.objects.count() == 1

    def test_everybodys_comes_first(self, admin: Client, user: User) -> None:
        Quota.objects.create(owner=user)
        Quota.objects.create()
        shown = admin.get("/admin/renders/quota/").context["cl"].result_list
        assert [quota.owner for quota in shown] == [None, user]
        assert admin.get("/admin/renders/quota/?q=ada").context["cl"].result_count == 1
