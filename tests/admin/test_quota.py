from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError
from django.test import Client

from renders.models import Quota, Render
from tests.factories import make_render

pytestmark = pytest.mark.django_db


class TestQuotaAdmin:
    def test_a_quota_is_made_and_shown_beside_what_is_used(self, admin: Client, user: User) -> None:
        answer = admin.post("/admin/renders/quota/add/", {"owner": user.pk, "max_functions": 8, "max_waiting": ""})
        assert answer.status_code == 302, answer.context["adminform"].form.errors
        quota = Quota.objects.get()
        assert (quota.owner, quota.max_functions, quota.max_waiting) == (user, 8, None)
        make_render(owner=user, cost=0.5)
        make_render(Render.Status.QUEUED, owner=user)
        page = admin.get(f"/admin/renders/quota/{quota.pk}/change/").content.decode()
        assert "0.0000\xa0USD spent, 0.5000\xa0USD expected" in page

    def test_a_second_one_for_everybody_is_refused_in_words(self, admin: Client) -> None:
        Quota.objects.create(max_functions=5)
        answer = admin.post("/admin/renders/quota/add/", {"max_functions": 8})
        assert answer.status_code == 200
        assert "There is a quota of everybody else already" in str(answer.context["adminform"].form.errors)
        assert Quota.objects.count() == 1

    def test_everybodys_comes_first(self, admin: Client, user: User) -> None:
        Quota.objects.create(owner=user)
        Quota.objects.create()
        shown = admin.get("/admin/renders/quota/").context["cl"].result_list
        assert [quota.owner for quota in shown] == [None, user]
        assert admin.get("/admin/renders/quota/?q=ada").context["cl"].result_count == 1

    def test_the_list_shows_use_beside_limits_by_few_queries(
        self, admin: Client, user: User, django_assert_max_num_queries: Any
    ) -> None:
        Quota.objects.create(owner=user, max_functions=8, max_waiting=2)
        for number in range(4):
            Quota.objects.create(owner=User.objects.create_user(f"user{number}"), max_functions=5)
        make_render(owner=user)
        make_render(Render.Status.QUEUED, owner=user)
        with django_assert_max_num_queries(9):
            content = admin.get("/admin/renders/quota/").content.decode()
        for text in ("4 of 8", "1 of 2", "0 of 5"):
            assert text in content

    def test_a_small_limit_is_told_as_it_is(self, admin: Client, user: User) -> None:
        Quota.objects.create(owner=user, max_cost_per_month=0.0016)
        assert "0.0000\xa0USD of 0.0016\xa0USD" in admin.get("/admin/renders/quota/").content.decode()

    @pytest.mark.parametrize(
        ("field", "value", "sentence"),
        [
            ("max_requests_per_minute", "0", "Give 1 or more"),
            ("max_cost_per_month", "-1", "A cost is 0 or more."),
            ("max_priority", "51", "Priorities are from -50 to 50."),
            ("max_functions", "-1", "greater than or equal to 0"),
        ],
    )
    def test_a_limit_that_cannot_be_is_told_beside_its_field(
        self, admin: Client, user: User, field: str, value: str, sentence: str
    ) -> None:
        answer = admin.post("/admin/renders/quota/add/", {"owner": user.pk, field: value})
        assert answer.status_code == 200
        assert any(sentence in error for error in answer.context["adminform"].form.errors[field])

    def test_the_database_refuses_no_requests_at_all(self, user: User) -> None:
        with pytest.raises(IntegrityError, match="quota_requests_at_least_1"):
            Quota.objects.create(owner=user, max_requests_per_minute=0)
