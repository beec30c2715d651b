import threading
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models.signals import pre_delete
from rest_framework.test import APIClient

from renders.models import Render, WebhookAttempt, WebhookMessage
from renders.remotion.errors import AccessDenied
from renders.remotion.start import prepare
from renders.remotion.target import LambdaTarget
from renders.services.retention import delete_render
from tests.factories import BUCKET, INPUT_PROPS, make_endpoint, make_message, make_render
from tests.s3 import put
from tests.servers import Answer, ScriptedServer

pytestmark = pytest.mark.django_db
Status = Render.Status
LARGE_PROPS = {**INPUT_PROPS, "code": "x" * 199_999}


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

    def test_its_poster_goes_with_it(self, api: APIClient, user: User) -> None:
        render = make_render(Status.SUCCEEDED, owner=user)
        make_poster(render, Status.SUCCEEDED)
        assert api.delete(f"/api/renders/{render.id}/").status_code == 204
        assert not Render.objects.exists()

    @pytest.mark.parametrize("status", [Status.QUEUED, Status.SUBMITTING, Status.RENDERING])
    def test_while_its_poster_is_active_it_stays(self, api: APIClient, user: User, status: str) -> None:
        render = make_render(Status.SUCCEEDED, owner=user)
        poster = make_poster(render, status)
        response = api.delete(f"/api/renders/{render.id}/")
        assert response.status_code == 409
        assert str(poster.id) in response.json()["error"]
        assert Render.objects.count() == 2


def make_poster(render: Render, status: str, **fields: Any) -> Render:
    return make_render(status, kind=Render.Kind.STILL, frame=0, codec="", poster_of=render, **fields)


class TestDeleteFiles:
    def upload_props(self, render: Render) -> str:
        """Upload the input props of a render as its start does; return their key."""
        prepare(
            LambdaTarget.from_settings(),
            serve_url=render.serve_url,
            composition=render.composition,
            input_props=LARGE_PROPS,
            options={},
            frames_per_lambda=60,
            concurrency=None,
            props_name=str(render.id),
            out_name=render.out_name,
        )
        return f"input-props/{render.id}.json"

    def keys(self, bucket: Any) -> set[str]:
        return {item["Key"] for item in bucket.list_objects_v2(Bucket=BUCKET).get("Contents", [])}

    def test_the_input_props_go_with_the_output_and_those_of_no_other_render(self, bucket: Any) -> None:
        render, active = make_render(Status.SUCCEEDED, render_id="old"), make_render(Status.SUBMITTING)
        put(bucket, "renders/old/out.mp4")
        props, needed = self.upload_props(render), self.upload_props(active)
        assert self.keys(bucket) == {"renders/old/out.mp4", props, needed}
        assert delete_render(render, remote=True) == 2
        assert self.keys(bucket) == {needed}
        assert list(Render.objects.all()) == [active]

    def test_the_files_of_its_poster_go_too(self, bucket: Any) -> None:
        render = make_render(Status.SUCCEEDED, render_id="video")
        make_poster(render, Status.SUCCEEDED, render_id="poster")
        put(bucket, "renders/video/out.mp4")
        put(bucket, "renders/poster/out.jpeg")
        assert delete_render(render, remote=True) == 2
        assert self.keys(bucket) == set()

    @pytest.mark.parametrize("configured_bucket", [BUCKET, ""])
    def test_a_render_that_was_refused_leaves_none_either(
        self, bucket: Any, settings: Any, configured_bucket: str
    ) -> None:
        settings.REMOTION_BUCKET_NAME = configured_bucket
        render = make_render(
            Status.FAILED,
            failure_reason="rejected",
            configured_bucket=configured_bucket,
            render_id="",
            bucket_name="",
        )
        assert self.keys(bucket) == set()
        props = self.upload_props(render)
        assert self.keys(bucket) == {props}
        assert delete_render(render, remote=True) == 1
        assert self.keys(bucket) == set()

    def test_a_bucket_that_does_not_exist_holds_no_files(self, bucket: Any) -> None:
        render = make_render(Status.FAILED, configured_bucket="gone", bucket_name="gone")
        assert delete_render(render, remote=True) == 0
        assert not Render.objects.exists()

    def test_while_they_cannot_be_deleted_the_row_stays(self, aws: ScriptedServer) -> None:
        aws.answers[f"/{BUCKET}"] = Answer(status=403)
        with pytest.raises(AccessDenied):
            delete_render(make_render(Status.SUCCEEDED), remote=True)
        assert Render.objects.exists()

    def test_without_remote_s3_is_not_asked(self, aws: ScriptedServer) -> None:
        assert delete_render(make_render(Status.SUCCEEDED)) == 0
        assert aws.requests == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time.")
def test_an_attempt_that_is_stored_meanwhile_goes_with_the_render(user: User) -> None:
    render = make_render(Status.SUCCEEDED, owner=user)
    message = make_message(make_endpoint(user, "https://example.com/"), render)
    told: list[threading.Thread] = []

    def tell() -> None:
        WebhookAttempt.objects.create(message=message, duration_ms=1)
        connection.close()

    def tell_meanwhile(**_: Any) -> None:
        # What refers to the render has been read, and is not deleted yet.
        if not told:
            told.append(threading.Thread(target=tell))
            told[0].start()
            told[0].join()

    pre_delete.connect(tell_meanwhile, sender=Render)
    try:
        delete_render(render)
    finally:
        pre_delete.disconnect(tell_meanwhile, sender=Render)
    assert told
    assert not Render.objects.exists()
    assert not WebhookMessage.objects.exists()
