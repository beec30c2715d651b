import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from renders.models import RefreshState, Render
from renders.services.cancel import cancel_render
from renders.services.create import create_render
from renders.services.reconcile import reconcile
from renders.services.refresh.engine import refresh_render, refresh_renders
from renders.services.render_request import RenderRequest
from tests.factories import BUCKET, INPUT_PROPS, load_recording, make_due, make_render, make_unconfirmed
from tests.s3 import last_progress, put, recorded
from tests.servers import INVOKE, Answer, ScriptedServer, reply, s3_error
from tests.services.refresh.due import next_refresh_at, refresh_due

pytestmark = pytest.mark.django_db
Status = Render.Status


class TestCancel:
    def cancel(self, api: APIClient, render: Render) -> Any:
        return api.post(f"/api/renders/{render.id}/cancel/")

    def test_a_queued_render_ends_at_once(self, api: APIClient, user: User, aws: ScriptedServer) -> None:
        response = self.cancel(api, make_render(Status.QUEUED, owner=user))
        assert (response.status_code, response.json()["status"]) == (200, "cancelled")
        assert not aws.requests

    def test_a_rendering_one_when_remotion_has_stopped(self, api: APIClient, user: User, aws: ScriptedServer) -> None:
        render = make_render(owner=user, render_id="abc123")
        aws.answers[f"/{BUCKET}/renders/abc123/cancel.json"] = Answer()
        aws.answers[f"/{BUCKET}/renders/abc123/progress.json"] = reply(
            {**load_recording("cancelled")[2]["progress.json"], "timeoutTimestamp": 9e15}
        )
        response = self.cancel(api, render)
        assert (response.status_code, response.json()["status"]) == (202, "rendering")
        assert response.json()["cancelRequestedAt"]
        assert "cancelledAt" in json.loads(aws.requests[0][2])
        assert refresh_render(Render.objects.get()).status == Status.RENDERING

        aws.answers[f"/{BUCKET}/renders/abc123/progress.json"] = reply(load_recording("cancelled")[-1]["progress.json"])
        RefreshState.objects.update(asked_at=None)
        row = refresh_render(Render.objects.get())
        assert (row.status, row.failure_reason, row.error) == (Status.CANCELLED, "", "")
        assert row.cost == 0.00102

    def test_one_that_was_faster_has_succeeded(self, aws: ScriptedServer) -> None:
        render = make_render(render_id="abc123", cancel_requested_at=timezone.now())
        aws.answers[f"/{BUCKET}/renders/abc123/progress.json"] = reply(load_recording("succeeds")[-1]["progress.json"])
        assert refresh_render(render).status == Status.SUCCEEDED

    def test_one_that_failed_by_itself_has_failed(self, aws: ScriptedServer) -> None:
        render = make_render(render_id="abc123", cancel_requested_at=timezone.now())
        aws.answers[f"/{BUCKET}/renders/abc123/progress.json"] = reply(
            load_recording("throws-in-chunk")[-1]["progress.json"]
        )
        assert refresh_render(render).status == Status.FAILED

    def test_nothing_is_cancelled_that_nobody_asked_for(self, aws: ScriptedServer) -> None:
        render = make_render(render_id="abc123")
        aws.answers[f"/{BUCKET}/renders/abc123/"] = reply(load_recording("cancelled")[-1]["progress.json"])
        assert refresh_render(render).status == Status.FAILED

    def test_a_request_that_got_lost_is_made_again(self, aws: ScriptedServer) -> None:
        render = make_render(render_id="abc123")
        path = f"/{BUCKET}/renders/abc123/cancel.json"
        aws.answers[path] = Answer(status=500)
        cancel_render(render)
        asked = aws.count(path)
        aws.answers[path] = Answer()
        refresh_render(Render.objects.get())
        assert aws.count(path) == asked + 1

    def test_one_that_comes_before_rows_read_earlier_are_refreshed_is_sent(self, bucket: Any) -> None:
        render = make_render()
        folder = f"renders/{render.render_id}"
        put(bucket, f"{folder}/progress.json", recorded(step=10, seconds_left=600))
        refresh_due()
        read_earlier = list(Render.objects.all())
        cancel_render(render, send_now=False)
        list(refresh_renders(read_earlier))
        assert bucket.head_object(Bucket=BUCKET, Key=f"{folder}/cancel.json")
        assert Render.objects.get().cancel_sent_at

    def test_one_that_is_only_noted_is_sent_by_the_next_refresh(self, aws: ScriptedServer) -> None:
        render = make_render(render_id="abc123", next_refresh_at=timezone.now() + timedelta(seconds=15))
        path = f"/{BUCKET}/renders/abc123/cancel.json"
        aws.answers[path] = Answer()
        cancel_render(render, send_now=False)
        assert aws.requests == []
        assert RefreshState.objects.get().next_refresh_at <= timezone.now() + timedelta(seconds=1)
        refresh_render(Render.objects.get())
        assert aws.count(path) == 1

    def test_one_unconfirmed_that_is_never_found_is_cancelled(self, bucket: Any) -> None:
        render = make_unconfirmed(submitted_at=timezone.now() - timedelta(seconds=301))
        assert cancel_render(render).status == Status.SUBMITTING
        reconcile()
        assert Render.objects.get().status == Status.CANCELLED

    @pytest.mark.parametrize("status", Render.TERMINAL)
    def test_what_is_over_is_a_conflict(self, api: APIClient, user: User, status: str) -> None:
        response = self.cancel(api, make_render(status, owner=user))
        assert response.status_code == 409
        assert status in response.json()["error"]


def test_start_asks_for_cancellation(aws: ScriptedServer) -> None:
    create_render(owner=None, request=RenderRequest(input_props=INPUT_PROPS), may_wait=True)
    assert json.loads(aws.requests[0][2])["enableCancellation"] is True
    assert aws.count(INVOKE) == 1


class TestRequestsThatCannotBeSent:
    CANCEL = f"/{BUCKET}/renders/abc123/cancel.json"
    PROGRESS = f"/{BUCKET}/renders/abc123/progress.json"

    def test_the_row_says_so_until_it_is_sent(self, aws: ScriptedServer) -> None:
        render = make_render(render_id="abc123")
        aws.answers[self.CANCEL] = s3_error(403, "AccessDenied")
        aws.answers[self.PROGRESS] = reply(recorded(step=5))
        assert cancel_render(render).error.startswith("The request to cancel could not be sent, and is sent again: AWS")
        aws.answers[self.CANCEL] = Answer()
        row = refresh_render(Render.objects.get())
        assert row.error == ""
        assert row.cancel_sent_at

    @pytest.mark.parametrize(("recording", "status"), [("succeeds", "succeeded"), ("throws-in-chunk", "failed")])
    def test_one_that_came_too_late_says_so(self, aws: ScriptedServer, recording: str, status: str) -> None:
        render = make_render(render_id="abc123")
        aws.answers[self.CANCEL] = s3_error(403, "AccessDenied")
        cancel_render(render)
        aws.answers[self.PROGRESS] = last_progress(recording)
        row = refresh_render(Render.objects.get())
        assert row.status == status
        assert row.error.endswith("It was to be cancelled, but the request could not be sent before it ended.")

    def test_one_that_was_sent_is_not_sent_again(self, aws: ScriptedServer) -> None:
        render = make_render(render_id="abc123")
        aws.answers[self.CANCEL] = Answer()
        aws.answers[self.PROGRESS] = reply(recorded(step=5))
        cancel_render(render)
        for _ in range(3):
            make_due()
            refresh_due()
        assert aws.count(self.CANCEL) == 1

    def test_a_row_whose_bucket_can_never_be_read_is_cancelled_after_its_time(self, aws: ScriptedServer) -> None:
        aws.answers["/"] = s3_error(403, "AccessDenied")
        render = make_render(submitted_at=timezone.now() - timedelta(seconds=2 * 240 + 61))
        cancel_render(render)
        make_due()
        refresh_due()
        assert Render.objects.get().status == Status.CANCELLED


@pytest.mark.django_db(transaction=True)
def test_a_request_during_a_refresh_that_finds_nothing_new_is_read_a_second_later(aws: ScriptedServer) -> None:
    render = make_render(render_id="abc123", deadline_at=timezone.now() + timedelta(hours=1), etag='"x"')
    Render.objects.update(submitted_at=timezone.now() - timedelta(minutes=3))

    def cancel_meanwhile() -> Answer:
        # In a thread of the server, with a database connection of its own.
        cancel_render(render)
        connection.close()
        return Answer(status=304)

    aws.answers[f"/{BUCKET}/renders/abc123/progress.json"] = cancel_meanwhile
    aws.answers[f"/{BUCKET}/renders/abc123/cancel.json"] = Answer()
    (result,) = refresh_due()
    assert result.error is None
    assert Render.objects.get().cancel_requested_at
    assert next_refresh_at() <= timezone.now() + timedelta(seconds=1)
