from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from renders.models import Render
from renders.services.outputs import sign_artifacts, sign_output
from tests.factories import make_render

pytestmark = pytest.mark.django_db
Status = Render.Status


class TestSignOutput:
    def test_only_a_succeeded_render_has_a_video(self) -> None:
        assert sign_output(make_render()) is None
        render = make_render(Status.SUCCEEDED)
        assert "/renders/abc123/out.mp4?" in (sign_output(render) or "")

    def test_it_is_signed_anew_and_never_stored(self) -> None:
        render = make_render(Status.SUCCEEDED)
        sign_output(render)
        assert "X-Amz-Signature" not in str(Render.objects.values().get())


ARTIFACT = {"filename": "notes/report.txt", "sizeInBytes": 21, "s3Key": "renders/abc123/artifacts/report.txt"}


class TestSignArtifacts:
    def test_each_has_name_size_and_a_link_that_downloads_it_under_its_name(self) -> None:
        (artifact,) = sign_artifacts(make_render(Status.SUCCEEDED, artifacts=[ARTIFACT]))
        assert (artifact["name"], artifact["size"]) == ("notes/report.txt", 21)
        assert "/renders/abc123/artifacts/report.txt?" in artifact["url"]
        assert "filename%3D%22report.txt%22" in artifact["url"]

    def test_without_credentials_they_have_no_link(self, settings: Any) -> None:
        settings.REMOTION_AWS_ACCESS_KEY_ID = ""
        (artifact,) = sign_artifacts(make_render(Status.SUCCEEDED, artifacts=[ARTIFACT]))
        assert artifact["url"] is None


class TestExpiry:
    def made(self, *, days_ago: float, **fields: Any) -> Render:
        at = timezone.now() - timedelta(days=days_ago)
        times = {"submitted_at": at, "finished_at": at + timedelta(minutes=1)}
        return make_render(Status.SUCCEEDED, options={"deleteAfter": "3-days"}, artifacts=[ARTIFACT], **times, **fields)

    def test_files_are_linked_until_s3_may_delete_them(self) -> None:
        render = self.made(days_ago=2.9)
        assert (render.is_expired, bool(sign_output(render))) == (False, True)

    def test_after_that_there_are_no_links(self) -> None:
        render = self.made(days_ago=3.1)
        assert (render.is_expired, sign_output(render)) == (True, None)
        assert sign_artifacts(render)[0]["url"] is None

    def test_the_api_says_so(self, api: APIClient, user: Any) -> None:
        render = self.made(days_ago=3.1, owner=user)
        answer = api.get(f"/api/renders/{render.id}/").json()
        assert (answer["isExpired"], answer["outputUrl"]) == (True, None)
        assert answer["expiresAt"] == (render.expires_at.isoformat().replace("+00:00", "Z") if render.expires_at else 0)
        progress = api.post("/api/lambda/progress", {"id": str(render.id)}, format="json").json()
        assert progress["type"] == "error"
        assert "have been deleted" in progress["message"]

    def test_without_the_option_files_are_kept(self) -> None:
        render = make_render(Status.SUCCEEDED, finished_at=timezone.now() - timedelta(days=400))
        assert (render.expires_at, render.is_expired) == (None, False)
