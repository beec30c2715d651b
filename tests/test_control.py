"""Cancelling, repeating, adopting, deleting."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from renders.models import BucketScan, RefreshState, Render, transitions
from renders.remotion import storage
from renders.remotion.aws import s3_client
from renders.remotion.errors import Unavailable
from renders.services import retry
from renders.services.cancel import cancel_render
from renders.services.create import create_render
from renders.services.reconcile import Reconciliation, reconcile
from renders.services.refresh.engine import refresh_render
from renders.services.retention import delete_render
from renders.services.retry import retry_render
from tests.factories import BUCKET, INPUT_PROPS, load_recording, make_render
from tests.servers import INVOKE, Answer, ScriptedServer, reply

pytestmark = pytest.mark.django_db
Status = Render.Status


def put(s3: Any, key: str, value: Any = None) -> None:
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(value or {}))


def progress_of(render: Render | None) -> dict[str, Any]:
    """A progress.json, of a row's render or of somebody else's."""
    progress: dict[str, Any] = load_recording("succeeds")[-1]["progress.json"]
    progress["renderMetadata"]["outName"] = render.out_name if render else "other.mp4"
    return progress


def doubtful(**fields: Any) -> Render:
    return make_render(Status.SUBMITTING, error="AWS did not answer.", **fields)


def _unavailable(*_: Any, **__: Any) -> None:
    raise Unavailable("S3 failed.")


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

    def test_one_in_doubt_that_is_never_found_is_cancelled(self, bucket: Any) -> None:
        render = doubtful(submitted_at=timezone.now() - timedelta(seconds=301))
        assert cancel_render(render).status == Status.SUBMITTING
        reconcile()
        assert Render.objects.get().status == Status.CANCELLED

    @pytest.mark.parametrize("status", Render.TERMINAL)
    def test_what_is_over_is_a_conflict(self, api: APIClient, user: User, status: str) -> None:
        response = self.cancel(api, make_render(status, owner=user))
        assert response.status_code == 409
        assert status in response.json()["error"]


class TestRetry:
    @pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED])
    def test_it_is_a_new_row_with_todays_settings(
        self, api: APIClient, user: User, aws: ScriptedServer, settings: Any, status: str
    ) -> None:
        settings.REMOTION_COMPOSITION = "Newer"
        first = make_render(status, owner=user, priority=5)
        response = api.post(f"/api/renders/{first.id}/retry/")
        assert response.status_code == 201
        again = Render.objects.get(pk=response.json()["id"])
        assert (again.retry_of, again.input_props, again.owner) == (first, INPUT_PROPS, user)
        assert (again.composition, again.priority, again.status) == ("Newer", 5, Status.RENDERING)
        assert response.json()["retryOf"] == str(first.id)

    def test_while_it_is_being_repeated_it_is_a_conflict(self, api: APIClient, user: User, aws: ScriptedServer) -> None:
        first = make_render(Status.FAILED, owner=user)
        statuses = [api.post(f"/api/renders/{first.id}/retry/").status_code for _ in range(2)]
        assert statuses == [201, 409]
        assert aws.count(INVOKE) == 1

    def test_two_at_once_are_one(self, aws: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
        first = make_render(Status.FAILED)
        create = create_render
        between: list[Any] = []

        def while_another_is_faster(**options: Any) -> Any:
            if not between:
                between.append(None)
                between.append(retry_render(first))
            return create(**options)

        monkeypatch.setattr(retry, "create_render", while_another_is_faster)
        again = retry_render(first)
        assert again.is_replayed
        assert again.render == between[1].render
        assert aws.count(INVOKE) == 1

    def test_no_callers_key_is_in_its_way(self, api: APIClient, user: User, numbered: ScriptedServer) -> None:
        first = make_render(Status.FAILED, owner=user)
        key = retry_render(first).render.idempotency_key
        body = {"inputProps": INPUT_PROPS}
        assert api.post("/api/renders/", body, format="json", HTTP_IDEMPOTENCY_KEY=key).status_code == 400

    def test_one_that_failed_again_can_be_repeated_though_a_retry_was_deleted(self, numbered: ScriptedServer) -> None:
        first = make_render(Status.FAILED)
        for number in range(3):
            again = retry_render(first)
            assert not again.is_replayed
            transitions.mark_failed(again.render, Render.FailureReason.RENDER_ERROR, error="boom", at=timezone.now())
            again.render.save_changes()
            if number == 1:
                delete_render(first.retries.earliest("created_at"))
        assert numbered.count(INVOKE) == 3

    @pytest.mark.parametrize("status", [*Render.ACTIVE, Status.SUCCEEDED])
    def test_any_other_is_a_conflict(self, api: APIClient, user: User, aws: ScriptedServer, status: str) -> None:
        assert api.post(f"/api/renders/{make_render(status, owner=user).id}/retry/").status_code == 409
        assert not aws.requests


class TestAdminActions:
    def act(self, staff: User, action: str, *renders: Render) -> str:
        client = Client()
        client.force_login(staff)
        data = {"action": action, "_selected_action": [str(render.pk) for render in renders]}
        return client.post("/admin/renders/render/", data, follow=True).content.decode()

    def test_cancel(self, staff: User) -> None:
        assert "1 asked to stop. 1 left as they are" in self.act(
            staff, "cancel", make_render(Status.QUEUED), make_render(Status.FAILED)
        )
        assert Render.objects.filter(status=Status.CANCELLED).count() == 1

    def test_retry(self, staff: User, aws: ScriptedServer) -> None:
        assert "1 repeated. 1 left as they are" in self.act(
            staff, "retry", make_render(Status.FAILED), make_render(Status.QUEUED)
        )
        assert Render.objects.exclude(retry_of=None).count() == 1

    def test_a_refusal_of_one_is_told(self, staff: User, aws: ScriptedServer, settings: Any) -> None:
        first = make_render(Status.FAILED)
        retry_render(first)
        Render.objects.exclude(pk=first.pk).update(status=Status.SUBMITTING, render_id="")
        assert "is being repeated already" in self.act(staff, "retry", first)

    def test_whoever_may_only_view_may_do_neither(self, user: User) -> None:
        User.objects.update(is_staff=True)
        render = make_render(Status.QUEUED)
        self.act(user, "cancel", render)
        assert Render.objects.get().status == Status.QUEUED


class TestAdoption:
    def test_nothing_is_asked_while_nothing_is_in_doubt(self, aws: ScriptedServer) -> None:
        make_render()
        assert reconcile() == Reconciliation(unconfirmed=0, found=0, requests=0)
        assert not aws.requests

    def test_nor_for_a_call_that_is_still_under_way(self, aws: ScriptedServer) -> None:
        make_render(Status.SUBMITTING)
        assert reconcile().unconfirmed == 0
        assert not aws.requests

    def test_a_render_that_carries_our_mark_is_found(self, bucket: Any) -> None:
        render, other = doubtful(), doubtful()
        put(bucket, "renders/aaaaaaaaaa/progress.json", progress_of(None))
        put(bucket, "renders/bbbbbbbbbb/progress.json", progress_of(render))
        result = reconcile()
        assert (result.unconfirmed, result.found, result.requests) == (2, 1, 3)
        row = Render.objects.get(pk=render.pk)
        assert (row.status, row.render_id, row.bucket_name, row.error) == (Status.RENDERING, "bbbbbbbbbb", BUCKET, "")
        assert "bbbbbbbbbb" in row.cloudwatch_logs
        assert Render.objects.get(pk=other.pk).status == Status.SUBMITTING

    def test_by_its_output_alone_too(self, bucket: Any) -> None:
        render = doubtful()
        put(bucket, f"renders/aaaaaaaaaa/{render.out_name}")
        assert reconcile().found == 1
        assert Render.objects.get().render_id == "aaaaaaaaaa"

    def test_a_bucket_that_is_not_configured_is_found(self, bucket: Any, settings: Any) -> None:
        render = doubtful(configured_bucket="")
        put(bucket, "renders/aaaaaaaaaa/progress.json", progress_of(render))
        result = reconcile()
        assert (result.found, result.requests) == (1, 3)

    def test_it_is_sought_where_it_was_asked_for_though_the_settings_have_changed(
        self, bucket: Any, settings: Any
    ) -> None:
        settings.REMOTION_BUCKET_NAME = "remotionlambda-useast1-newer"
        render = doubtful(submitted_at=timezone.now() - timedelta(seconds=301))
        put(bucket, "renders/aaaaaaaaaa/progress.json", progress_of(render))
        assert reconcile().found == 1

    def test_each_of_several_buckets_is_searched_before_it_is_lost(self, bucket: Any) -> None:
        bucket.create_bucket(Bucket="remotionlambda-useast1-another")
        bucket.create_bucket(Bucket="not-remotions")
        old = timezone.now() - timedelta(seconds=301)
        found, lost = (doubtful(configured_bucket="", submitted_at=old) for _ in range(2))
        put(bucket, "renders/aaaaaaaaaa/progress.json", progress_of(found))
        assert reconcile(max_requests=1).found == 0
        assert Render.objects.unconfirmed().count() == 2
        reconcile()
        found.refresh_from_db()
        lost.refresh_from_db()
        assert (found.status, lost.failure_reason) == (Status.RENDERING, "lost")
        assert set(BucketScan.objects.values_list("bucket_name", flat=True)) == {
            BUCKET,
            "remotionlambda-useast1-another",
        }

    def test_a_file_that_cannot_be_read_is_no_proof_that_it_is_lost(
        self, bucket: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        render = doubtful(submitted_at=timezone.now() - timedelta(seconds=301))
        put(bucket, "renders/aaaaaaaaaa/progress.json", progress_of(render))
        with monkeypatch.context() as broken:
            broken.setattr("renders.services.reconcile.fetch_progress", _unavailable)
            reconcile()
        assert Render.objects.get().status == Status.SUBMITTING
        assert reconcile().found == 1

    def test_but_not_for_ever(self, bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        doubtful(submitted_at=timezone.now() - timedelta(seconds=301 + 600))
        put(bucket, "renders/aaaaaaaaaa/progress.json", {})
        monkeypatch.setattr("renders.services.reconcile.fetch_progress", _unavailable)
        reconcile()
        assert Render.objects.get().failure_reason == "lost"

    def test_known_and_old_renders_are_not_read(self, bucket: Any) -> None:
        doubtful(submitted_at=timezone.now() + timedelta(minutes=10))
        put(bucket, "renders/aaaaaaaaaa/progress.json", progress_of(None))
        assert reconcile().requests == 1
        Render.objects.update(submitted_at=timezone.now())
        make_render(render_id="aaaaaaaaaa")
        assert reconcile().requests == 1

    def test_a_search_is_bounded_and_goes_on_where_it_ended(self, bucket: Any, monkeypatch: Any) -> None:
        render = doubtful()
        for number in range(6):
            put(bucket, f"renders/a{number}/progress.json", progress_of(None))
        put(bucket, "renders/b/progress.json", progress_of(render))
        adopted = []
        with monkeypatch.context() as patch:
            patch.setattr(storage, "s3_client", _paged(s3_client, 2))
            for _ in range(10):
                result = reconcile(max_requests=3)
                assert result.requests <= 3
                adopted.append(result.found)
                if result.found:
                    break
        assert adopted[-1] == 1
        assert len(adopted) > 2

    def test_another_rows_render_is_not_adopted(self, bucket: Any) -> None:
        render = doubtful()
        owner = make_render(render_id="aaaaaaaaaa")
        put(bucket, f"renders/aaaaaaaaaa/{render.out_name}")
        assert reconcile().found == 0
        assert Render.objects.get(pk=render.pk).status == Status.SUBMITTING
        assert Render.objects.get(pk=owner.pk).render_id == "aaaaaaaaaa"

    def test_not_found_in_time_is_lost(self, bucket: Any) -> None:
        doubtful(submitted_at=timezone.now() - timedelta(seconds=301))
        reconcile()
        row = Render.objects.get()
        assert (row.status, row.failure_reason) == (Status.FAILED, "lost")
        assert "AWS did not answer." in row.error

    def test_nothing_is_lost_before_the_whole_bucket_was_looked_through(self, bucket: Any) -> None:
        doubtful(submitted_at=timezone.now() - timedelta(seconds=301))
        for number in range(30):
            put(bucket, f"renders/a{number:02}/progress.json", progress_of(None))
        reconcile()
        assert Render.objects.get().status == Status.SUBMITTING
        reconcile()
        assert Render.objects.get().failure_reason == "lost"

    @pytest.mark.parametrize("metadata", [[], 1, {"outName": {"key": "a", "bucketName": "b"}}, {"outName": None}])
    def test_odd_files_of_others_do_no_harm(self, bucket: Any, metadata: Any) -> None:
        render = doubtful()
        put(bucket, "renders/a/progress.json", {"renderMetadata": metadata})
        bucket.put_object(Bucket=BUCKET, Key="renders/b/progress.json", Body=b"{torn")
        put(bucket, "renders/c/progress.json", progress_of(render))
        assert reconcile().found == 1

    def test_one_walks_at_a_time(self, bucket: Any) -> None:
        doubtful()
        reconcile()
        BucketScan.objects.update(leased_until=timezone.now() + timedelta(minutes=1))
        assert reconcile().requests == 0

    def test_one_that_was_called_lost_is_found_after_all(self, aws: ScriptedServer) -> None:
        render = make_render(Status.FAILED, failure_reason="lost", render_id="", bucket_name="")
        transitions.mark_rendering(render, render_id="a", bucket_name="b", cloudwatch_logs="", folder_in_s3_console="")
        render.save_changes()
        render.refresh_from_db()
        assert (render.status, render.failure_reason, render.finished_at) == (Status.RENDERING, "", None)

    def test_found_just_in_time_is_not_lost(self, bucket: Any) -> None:
        render = doubtful(submitted_at=timezone.now() - timedelta(seconds=301))
        put(bucket, "renders/aaaaaaaaaa/progress.json", progress_of(render))
        out = StringIO()
        call_command("refresh_renders", stdout=out)
        assert "Unconfirmed: 1, of which 1 found, with 2 requests to S3." in out.getvalue()
        assert Render.objects.get().status == Status.SUCCEEDED


def _paged(real: Any, size: int) -> Any:
    class Paged:
        def __init__(self, s3: Any) -> None:
            self.s3 = s3

        def __getattr__(self, name: str) -> Any:
            return getattr(self.s3, name)

        def list_objects_v2(self, **options: Any) -> Any:
            return self.s3.list_objects_v2(**options, MaxKeys=size)

    return lambda config: Paged(real(config))


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


class TestPurge:
    def run(self, *arguments: str) -> str:
        out = StringIO()
        call_command("purge_renders", *arguments, stdout=out, stderr=out)
        return out.getvalue()

    @pytest.fixture
    def rows(self) -> tuple[Render, Render, Render]:
        long_ago = timezone.now() - timedelta(days=91)
        return (
            make_render(Status.SUCCEEDED, finished_at=long_ago, render_id="old"),
            make_render(Status.SUCCEEDED, render_id="young"),
            make_render(created_at=long_ago, submitted_at=long_ago, render_id="active"),
        )

    def test_old_rows_that_are_over_go(self, rows: tuple[Render, Render, Render]) -> None:
        assert (
            self.run("--older-than", "90d")
            == "Deleted 1 renders; freed 0 idempotency keys; deleted 0 webhook deliveries.\n"
        )
        assert set(Render.objects.all()) == set(rows[1:])

    def test_a_key_that_is_still_good_keeps_its_row(self) -> None:
        make_render(Status.SUCCEEDED, finished_at=timezone.now() - timedelta(hours=2), idempotency_key="a")
        said = self.run("--older-than", "1h")
        assert said.startswith("Deleted 0 renders;")
        assert said.endswith("1 are kept, because their Idempotency-Key is still good.\n")

    def test_but_not_a_key_of_our_own(self, aws: ScriptedServer) -> None:
        again = retry_render(make_render(Status.FAILED, finished_at=timezone.now())).render
        Render.objects.filter(pk=again.pk).update(
            status=Status.SUCCEEDED, finished_at=timezone.now() - timedelta(hours=2)
        )
        assert self.run("--older-than", "1h").startswith("Deleted 1 renders;")

    def test_with_their_files(self, rows: tuple[Render, Render, Render], bucket: Any) -> None:
        for name in ("old/progress.json", "old/out.mp4", "older/progress.json", "young/out.mp4"):
            put(bucket, f"renders/{name}")
        assert self.run("--older-than", "90d", "--remote").startswith("Deleted 1 renders and 2 files;")
        left = [item["Key"] for item in bucket.list_objects_v2(Bucket=BUCKET)["Contents"]]
        assert left == ["renders/older/progress.json", "renders/young/out.mp4"]

    def test_a_row_whose_files_cannot_be_deleted_stays(
        self, rows: tuple[Render, Render, Render], aws: ScriptedServer
    ) -> None:
        aws.answers[f"/{BUCKET}"] = Answer(status=403)
        with pytest.raises(CommandError, match="1 could not be deleted"):
            self.run("--older-than", "90d", "--remote")
        assert Render.objects.count() == 3

    def test_dry_run_deletes_nothing(self, rows: tuple[Render, Render, Render]) -> None:
        assert self.run("--older-than", "90d", "--dry-run") == "1 renders and 0 webhook deliveries would be deleted.\n"
        assert Render.objects.count() == 3

    @pytest.mark.parametrize("text", ["90", "d", "-1d", "1y", "9" * 12 + "d"])
    def test_an_age_that_is_none_is_told(self, text: str) -> None:
        with pytest.raises(CommandError, match="90d, 36h or 30m"):
            self.run(f"--older-than={text}")


def test_start_asks_for_cancellation(aws: ScriptedServer) -> None:
    create_render(owner=None, input_props=INPUT_PROPS, may_wait=True)
    assert json.loads(aws.requests[0][2])["enableCancellation"] is True
    assert aws.count(INVOKE) == 1
