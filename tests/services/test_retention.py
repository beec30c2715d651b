import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from renders.models import Render
from tests.factories import make_render

pytestmark = pytest.mark.django_db
Status = Render.Status


class TestDelete:
    def test_one_that_is_over(self, api: APIClient, user: User) -> None:
        render = make_render(Status.SUCCEEDED, owner=user)
        assert api.delete(f"/api/renders/{render.id}/").status_code == 204
        assert not Render.objects.exists()

    @pytest.mark.parametrize("status", Render.ACTIVE)
    def test_an_active_one_is_a_conflict(self, api: APIClient, user: User, status: str) -> None:
        render = make_render(status, owner=user)
        assert api.delete(f"/api/renders/{render.id}/").status_code == 409
        assert Render.objects.exists()
