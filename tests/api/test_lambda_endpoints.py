from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from renders.models import Render
from tests.api.requests import post
from tests.factories import BODY, BUCKET, load_recording, make_render
from tests.servers import ScriptedServer, reply, s3_error

pytestmark = pytest.mark.django_db
Status = Render.Status


class TestProgress:
    @pytest.fixture
    def render(self, user: User) -> Render:
        return make_render(owner=user, render_id="abc123")

    def ask(self, api: APIClient, **change: Any) -> Any:
        return post(api, "/api/lambda/progress", {"id": "abc123", "bucketName": BUCKET, **change})

    @pytest.mark.parametrize(("step", "progress"), [(0, 0.03), (1, 0.03333333333333333), (10, 0.568)])
    def test_progress_is_at_least_three_percent(
        self, api: APIClient, aws: ScriptedServer, render: Render, step: int, progress: float
    ) -> None:
        recorded = load_recording("succeeds")[step]["progress.json"]
        recorded["timeoutTimestamp"] = timezone.now().timestamp() * 1000 + 60_000
        aws.answers[f"/{BUCKET}/"] = reply(recorded)
        response = self.ask(api)
        assert response.status_code == 200
        assert response.json() == {"type": "progress", "progress": progress}

    def test_done_has_a_signed_url_and_the_size(self, api: APIClient, aws: ScriptedServer, render: Render) -> None:
        aws.answers[f"/{BUCKET}/"] = reply(load_recording("succeeds")[-1]["progress.json"])
        answer = self.ask(api).json()
        assert (answer["type"], answer["size"]) == ("done", 298354)
        assert answer["url"].startswith(f"{aws.url}/{BUCKET}/renders/62jq0llxxv/out.mp4?X-Amz-Algorithm")

    def test_an_error_has_its_message(self, api: APIClient, aws: ScriptedServer, render: Render) -> None:
        aws.answers[f"/{BUCKET}/"] = reply(load_recording("throws-in-chunk")[-1]["progress.json"])
        assert self.ask(api).json() == {"type": "error", "message": "boom at 100"}

    @pytest.mark.parametrize("status", Status)
    def test_every_status_has_an_answer(self, api: APIClient, aws: ScriptedServer, user: User, status: str) -> None:
        make_render(status, owner=user, render_id="abc123", bucket_name=BUCKET)
        assert self.ask(api).json()["type"] in ("progress", "done", "error")

    @pytest.mark.parametrize("change", [{"id": "other"}, {"bucketName": "other"}])
    def test_a_pair_that_is_not_ours_is_404_and_reads_nothing(
        self, api: APIClient, aws: ScriptedServer, render: Render, change: dict[str, str]
    ) -> None:
        response = self.ask(api, **change)
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
        assert not aws.requests

    @pytest.mark.parametrize("bucket", [{}, {"bucketName": ""}, {"bucketName": BUCKET}])
    def test_our_id_does_as_well_and_needs_no_bucket(
        self, api: APIClient, aws: ScriptedServer, bucket: dict[str, str]
    ) -> None:
        started = post(api, "/api/lambda/render", BODY).json()
        aws.answers[f"/{BUCKET}/"] = reply(load_recording("succeeds")[-1]["progress.json"])
        assert post(api, "/api/lambda/progress", {"id": started["id"], **bucket}).json()["type"] == "done"

    def test_our_id_of_a_render_without_renderid(self, api: APIClient, aws: ScriptedServer, user: User) -> None:
        queued = make_render(Status.QUEUED, owner=user)
        response = post(api, "/api/lambda/progress", {"id": str(queued.id)})
        assert response.json() == {"type": "progress", "progress": 0.03}

    def test_our_id_with_another_bucket_is_404(self, api: APIClient, render: Render, aws: ScriptedServer) -> None:
        assert self.ask(api, id=str(render.id), bucketName="other").status_code == 404

    @pytest.mark.parametrize("bucket", [{}, {"bucketName": ""}])
    def test_a_renderid_needs_its_bucket(self, api: APIClient, render: Render, bucket: dict[str, str]) -> None:
        response = post(api, "/api/lambda/progress", {"id": "abc123", **bucket})
        assert (response.status_code, list(response.json()["details"])) == (400, ["bucketName"])

    def test_somebody_elses_render_is_404(self, aws: ScriptedServer, render: Render) -> None:
        other = APIClient()
        other.force_authenticate(User.objects.create_user("eve"))
        assert self.ask(other).status_code == 404
        assert post(other, "/api/lambda/progress", {"id": str(render.id)}).status_code == 404
        assert not aws.requests

    @pytest.mark.parametrize("change", [{"id": None}, {"id": ""}, {"id": 5 * "x" * 100}, {"bucketName": {}}])
    def test_a_bad_pair_is_400(self, api: APIClient, aws: ScriptedServer, change: dict[str, Any]) -> None:
        response = self.ask(api, **change)
        assert response.status_code == 400
        assert next(iter(change)) in response.json()["error"]

    def test_s3_failing_is_503_and_changes_nothing(self, api: APIClient, aws: ScriptedServer, render: Render) -> None:
        aws.answers[f"/{BUCKET}/"] = s3_error(500, "InternalError")
        response = self.ask(api)
        assert response.status_code == 503
        assert response["Retry-After"]
        assert Render.objects.get().status == Status.RENDERING

    def test_with_a_trailing_slash_too(self, api: APIClient, aws: ScriptedServer, render: Render) -> None:
        response = post(api, "/api/lambda/progress/", {"id": "abc123", "bucketName": BUCKET})
        assert response.json()["type"] == "progress"
