"""GET /api/renders/<id>/download/."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from renders.models import Render
from tests.factories import BUCKET, make_render

pytestmark = pytest.mark.django_db
Status = Render.Status


class TestDownload:
    @pytest.mark.parametrize("slash", ["", "/"])
    def test_leads_to_the_signed_address(self, api: APIClient, user: User, slash: str) -> None:
        render = make_render(Status.SUCCEEDED, owner=user)
        response = api.get(f"/api/renders/{render.pk}/download{slash}")
        assert response.status_code == 302
        assert response["Location"].startswith(f"https://{BUCKET}.s3.amazonaws.com/renders/abc123/out.mp4?")
        assert "Signature" in response["Location"]
        assert response["Cache-Control"] == "no-store"

    @pytest.mark.parametrize("query", ["?json", "?json=", "?json=true"])
    def test_as_json(self, api: APIClient, user: User, query: str) -> None:
        render = make_render(Status.SUCCEEDED, owner=user)
        response = api.get(f"/api/renders/{render.pk}/download/{query}")
        assert (response.status_code, sorted(response.json())) == (200, ["expiresAt", "url"])
        expires_in = datetime.fromisoformat(response.json()["expiresAt"]) - timezone.now()
        assert timedelta(minutes=59) < expires_in <= timedelta(hours=1)

    @pytest.mark.parametrize("status", [status for status in Status.values if status != Status.SUCCEEDED])
    def test_what_has_not_succeeded_is_a_conflict(self, api: APIClient, user: User, status: str) -> None:
        render = make_render(status, owner=user)
        response = api.get(f"/api/renders/{render.pk}/download/")
        assert (response.status_code, response.json()["code"]) == (409, "conflict")

    def test_what_has_expired_is_gone(self, api: APIClient, user: User) -> None:
        ago = timezone.now() - timedelta(days=2)
        render = make_render(
            Status.SUCCEEDED, owner=user, options={"deleteAfter": "1-day"}, finished_at=ago, submitted_at=ago
        )
        response = api.get(f"/api/renders/{render.pk}/download/")
        assert (response.status_code, response.json()["code"]) == (410, "files_expired")

    def test_another_owners_is_not_found(self, api: APIClient) -> None:
        render = make_render(Status.SUCCEEDED)
        assert api.get(f"/api/renders/{render.pk}/download/").status_code == 404

    def test_without_credentials_it_says_what_is_missing(self, api: APIClient, user: User, settings: Any) -> None:
        settings.REMOTION_AWS_ACCESS_KEY_ID = ""
        render = make_render(Status.SUCCEEDED, owner=user)
        response = api.get(f"/api/renders/{render.pk}/download/")
        assert (response.status_code, response.json()["code"]) == (500, "not_set_up")

    @pytest.mark.parametrize("query", ["?json=no", "?jsn"])
    def test_a_parameter_that_is_none_is_told(self, api: APIClient, user: User, query: str) -> None:
        render = make_render(Status.SUCCEEDED, owner=user)
        assert api.get(f"/api/renders/{render.pk}/download/{query}").status_code == 400
