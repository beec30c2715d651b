from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from renders.models import BucketScan, RefreshState, Render
from renders.remotion import storage
from renders.remotion.aws import s3_client
from renders.remotion.errors import Unavailable
from renders.services.cancel import cancel_render
from renders.services.reconcile import Reconciliation, reconcile
from renders.services.refresh.circuit_breaker import CircuitBreaker
from renders.services.retention import delete_render
from tests.factories import BUCKET, load_recording, make_render, make_unconfirmed
from tests.s3 import last_progress, listing, put
from tests.servers import Answer, ScriptedServer, s3_error

pytestmark = pytest.mark.django_db
Status = Render.Status


def progress_of(render: Render | None) -> dict[str, Any]:
    """A progress.json, of a row's render or of somebody else's."""
    progress: dict[str, Any] = load_recording("succeeds")[-1]["progress.json"]
    progress["renderMetadata"]["outName"] = render.out_name if render else "other.mp4"
    return progress


def _unavailable(*_: Any, **__: Any) -> None:
    raise Unavailable("S3 failed.")


class TestReconcile:
    def test_nothing_is_asked_while_nothing_is_unconfirmed(self, aws: ScriptedServer) -> None:
        make_render()
        assert reconcile() == Reconciliation(unconfirmed=0, found=0, requests=0)
        assert not aws.requests

    def test_nor_for_a_call_that_is_still_under_way(self, aws: ScriptedServer) -> None:
        make_render(Status.SUBMITTING)
        assert reconcile().unconfirmed == 0
        assert not aws.requests

    def test_a_render_that_carries_our_mark_is_found(self, bucket: Any) -> None:
        render, other = make_unconfirmed(), make_unconfirmed()
        put(bucket, "renders/aaaaaaaaaa/progress.json", progress_of(None))
        put(bucket, "renders/bbbbbbbbbb/progress.json", progress_of(render))
        result = reconcile()
        assert (result.unconfirmed, result.found, result.requests) == (2, 1, 3)
        row = Render.objects.get(pk=render.pk)
        assert (row.status, row.render_id, row.bucket_name, row.error) == (Status.RENDERING, "bbbbbbbbbb", BUCKET, "")
        assert "bbbbbbbbbb" in row.cloudwatch_logs
        assert Render.objects.get(pk=other.pk).status == Status.SUBMITTING

    def test_by_its_output_alone_too(self, bucket: Any) -> None:
        render = make_unconfirmed()
        put(bucket, f"renders/aaaaaaaaaa/{render.out_name}")
        assert reconcile().found == 1
        assert Render.objects.get().render_id == "aaaaaaaaaa"

    def test_a_bucket_that_is_not_configured_is_found(self, bucket: Any, settings: Any) -> None:
        render = make_unconfirmed(configured_bucket="")
        put(bucket, "renders/aaaaaaaaaa/progress.json", progress_of(render))
        result = reconcile()
        assert (result.found, result.requests) == (1, 3)

    def test_it_is_sought_where_it_was_asked_for_though_the_settings_have_changed(
        self, bucket: Any, settings: Any
    ) -> None:
        settings.REMOTION_BUCKET_NAME = "remotionlambda-useast1-newer"
        render = make_unconfirmed(submitted_at=timezone.now() - timedelta(seconds=301))
        put(bucket, "renders/aaaaaaaaaa/progress.json", progress_of(render))
        assert reconcile().found == 1

    def test_each_of_several_buckets_is_searched_before_it_is_lost(self, bucket: Any) -> None:
        bucket.create_bucket(Bucket="remotionlambda-useast1-another")
        bucket.create_bucket(Bucket="not-remotions")
        old = timezone.now() - timedelta(seconds=301)
        found, lost = (make_unconfirmed(configured_bucket="", submitted_at=old) for _ in range(2))
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
        render = make_unconfirmed(submitted_at=timezone.now() - timedelta(seconds=301))
        put(bucket, "renders/aaaaaaaaaa/progress.json", progress_of(render))
        with monkeypatch.context() as broken:
            broken.setattr("renders.services.reconcile.fetch_progress", _unavailable)
            reconcile()
        assert Render.objects.get().status == Status.SUBMITTING
        assert reconcile().found == 1

    def test_stills_and_outputs_elsewhere_can_be_read(self, bucket: Any) -> None:
        make_unconfirmed(submitted_at=timezone.now() - timedelta(seconds=301))
        still, elsewhere = progress_of(None), progress_of(None)
        del still["renderMetadata"]["frameRange"], still["renderMetadata"]["everyNthFrame"]
        elsewhere["renderMetadata"]["outName"] = {"bucketName": "videos", "key": "ours/1.mp4"}
        put(bucket, "renders/aaaaaaaaaa/progress.json", still)
        put(bucket, "renders/bbbbbbbbbb/progress.json", elsewhere)
        reconcile()
        assert Render.objects.get().failure_reason == "lost"

    def test_but_not_for_ever(self, bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        make_unconfirmed(submitted_at=timezone.now() - timedelta(seconds=301 + 600))
        put(bucket, "renders/aaaaaaaaaa/progress.json", {})
        monkeypatch.setattr("renders.services.reconcile.fetch_progress", _unavailable)
        reconcile()
        assert Render.objects.get().failure_reason == "lost"

    def test_known_and_old_renders_are_not_read(self, bucket: Any) -> None:
        make_unconfirmed(submitted_at=timezone.now() + timedelta(minutes=10))
        put(bucket, "renders/aaaaaaaaaa/progress.json", progress_of(None))
        assert reconcile().requests == 1
        Render.objects.update(submitted_at=timezone.now())
        make_render(render_id="aaaaaaaaaa")
        assert reconcile().requests == 1

    def test_a_search_is_bounded_and_goes_on_where_it_ended(self, bucket: Any, monkeypatch: Any) -> None:
        render = make_unconfirmed()
        for number in range(6):
            put(bucket, f"renders/a{number}/progress.json", progress_of(None))
        put(bucket, "renders/b/progress.json", progress_of(render))
        found = []
        with monkeypatch.context() as patch:
            patch.setattr(storage, "s3_client", _paged(s3_client, 2))
            for _ in range(10):
                result = reconcile(max_requests=3)
                assert result.requests <= 3
                found.append(result.found)
                if result.found:
                    break
        assert found[-1] == 1
        assert len(found) > 2

    def test_another_rows_render_is_not_adopted(self, bucket: Any) -> None:
        render = make_unconfirmed()
        owner = make_render(render_id="aaaaaaaaaa")
        put(bucket, f"renders/aaaaaaaaaa/{render.out_name}")
        assert reconcile().found == 0
        assert Render.objects.get(pk=render.pk).status == Status.SUBMITTING
        assert Render.objects.get(pk=owner.pk).render_id == "aaaaaaaaaa"

    def test_not_found_in_time_is_lost(self, bucket: Any) -> None:
        make_unconfirmed(submitted_at=timezone.now() - timedelta(seconds=301))
        reconcile()
        row = Render.objects.get()
        assert (row.status, row.failure_reason) == (Status.FAILED, "lost")
        assert "AWS did not answer." in row.error

    def test_nothing_is_lost_before_the_whole_bucket_was_looked_through(self, bucket: Any) -> None:
        make_unconfirmed(submitted_at=timezone.now() - timedelta(seconds=301))
        for number in range(30):
            put(bucket, f"renders/a{number:02}/progress.json", progress_of(None))
        reconcile()
        assert Render.objects.get().status == Status.SUBMITTING
        reconcile()
        assert Render.objects.get().failure_reason == "lost"

    @pytest.mark.parametrize("metadata", [[], 1, {"outName": {"key": "a", "bucketName": "b"}}, {"outName": None}])
    def test_odd_files_of_others_do_no_harm(self, bucket: Any, metadata: Any) -> None:
        render = make_unconfirmed()
        put(bucket, "renders/a/progress.json", {"renderMetadata": metadata})
        bucket.put_object(Bucket=BUCKET, Key="renders/b/progress.json", Body=b"{torn")
        put(bucket, "renders/c/progress.json", progress_of(render))
        assert reconcile().found == 1

    def test_one_process_scans_at_a_time(self, bucket: Any) -> None:
        make_unconfirmed()
        reconcile()
        BucketScan.objects.update(leased_until=timezone.now() + timedelta(minutes=1))
        assert reconcile().requests == 0

    def test_found_just_in_time_is_not_lost(self, bucket: Any) -> None:
        render = make_unconfirmed(submitted_at=timezone.now() - timedelta(seconds=301))
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


@pytest.mark.parametrize("bad", ["remotionlambda-useast1-a", "remotionlambda-useast1-z"])
class TestOneBucketsFailure:
    """Whichever bucket is asked first, the row in the other one is found."""

    GOOD = "remotionlambda-useast1-m"

    def good_row(self, aws: ScriptedServer) -> Render:
        render = make_unconfirmed(configured_bucket=self.GOOD)
        aws.answers[f"/{self.GOOD}?list-type"] = listing(f"renders/aaaaaaaaaa/{render.out_name}")
        return render

    @pytest.mark.parametrize("answer", [s3_error(403, "AccessDenied"), Answer(reset=True), s3_error(500, "Internal")])
    def test_is_its_own(self, aws: ScriptedServer, bad: str, answer: Answer) -> None:
        other = make_unconfirmed(configured_bucket=bad)
        aws.answers[f"/{bad}?list-type"] = answer
        render = self.good_row(aws)
        result = reconcile()
        assert (result.unconfirmed, result.found, list(result.failures)) == (2, 1, [bad])
        assert Render.objects.get(pk=render.pk).render_id == "aaaaaaaaaa"
        assert Render.objects.get(pk=other.pk).status == Status.SUBMITTING

    def test_a_bucket_that_does_not_exist_holds_no_render(self, aws: ScriptedServer, bad: str) -> None:
        overdue = make_unconfirmed(configured_bucket=bad, submitted_at=timezone.now() - timedelta(seconds=301))
        early = make_unconfirmed(configured_bucket=bad)
        aws.answers[f"/{bad}?list-type"] = s3_error(404, "NoSuchBucket")
        self.good_row(aws)
        result = reconcile()
        assert (result.found, result.failures) == (1, {})
        assert Render.objects.get(pk=overdue.pk).failure_reason == Render.FailureReason.LOST
        assert Render.objects.get(pk=early.pk).status == Status.SUBMITTING

    def test_a_bucket_that_may_not_be_listed_is_read_all_the_same(self, aws: ScriptedServer, bad: str) -> None:
        make_unconfirmed(configured_bucket=bad)
        aws.answers[f"/{bad}?list-type"] = s3_error(403, "AccessDenied")
        breaker = CircuitBreaker()
        reconcile(breaker=breaker)
        assert breaker.open_buckets() == []

    def test_a_bucket_whose_circuit_is_open_is_not_asked(self, aws: ScriptedServer, bad: str) -> None:
        make_unconfirmed(configured_bucket=bad)
        self.good_row(aws)
        breaker = CircuitBreaker()
        breaker.end(bad, has_answered=False)
        assert reconcile(breaker=breaker).found == 1
        assert aws.count(f"/{bad}") == 0

    def test_a_long_scan_of_one_leaves_requests_for_the_other(self, aws: ScriptedServer, bad: str) -> None:
        make_unconfirmed(configured_bucket=bad)
        aws.answers[f"/{bad}?list-type"] = listing(*(f"renders/r{number}/progress.json" for number in range(50)))
        aws.answers[f"/{bad}/renders/"] = last_progress()
        self.good_row(aws)
        assert reconcile(max_requests=5).found == 1


class TestAfterItsTime:
    """A row ends although its bucket can never be read, and can then be deleted."""

    LATE = timedelta(seconds=301)

    @pytest.mark.parametrize("region_is_known", [True, False])
    def test_it_is_lost_an_hour_later_with_the_reason(self, aws: ScriptedServer, region_is_known: bool) -> None:
        aws.answers["/"] = s3_error(403, "AccessDenied")
        place = {"configured_bucket": BUCKET if region_is_known else ""}
        render = make_unconfirmed(submitted_at=timezone.now() - self.LATE, **place)
        reconcile()
        assert Render.objects.get().status == Status.SUBMITTING
        Render.objects.update(submitted_at=timezone.now() - self.LATE - timedelta(hours=1))
        reconcile()
        render.refresh_from_db()
        assert (render.status, render.failure_reason) == (Status.FAILED, Render.FailureReason.LOST)
        assert "does not let these credentials use" in render.error
        delete_render(render)
        assert not Render.objects.exists()

    def test_it_is_cancelled_if_that_was_requested(self, aws: ScriptedServer) -> None:
        aws.answers["/"] = s3_error(403, "AccessDenied")
        render = make_unconfirmed(submitted_at=timezone.now() - self.LATE - timedelta(hours=1))
        cancel_render(render)
        reconcile()
        assert Render.objects.get().status == Status.CANCELLED

    def test_it_is_rechecked_and_found_when_the_bucket_can_be_read_again(self, aws: ScriptedServer) -> None:
        aws.answers["/"] = s3_error(403, "AccessDenied")
        render = make_unconfirmed(submitted_at=timezone.now() - self.LATE - timedelta(hours=1))
        reconcile()
        aws.answers[f"/{BUCKET}?list-type"] = listing(f"renders/aaaaaaaaaa/{render.out_name}")
        RefreshState.objects.update(next_refresh_at=timezone.now())
        assert reconcile().found == 1
        assert Render.objects.get().status == Status.RENDERING


@pytest.mark.parametrize("is_found", [True, False])
def test_a_lost_row_that_is_deleted_during_its_recheck_affects_no_other(
    aws: ScriptedServer, monkeypatch: pytest.MonkeyPatch, is_found: bool
) -> None:
    late = {"submitted_at": timezone.now() - timedelta(seconds=301)}
    lost = {"failure_reason": "lost", "render_id": "", "bucket_name": ""}
    gone = make_render(Status.FAILED, next_refresh_at=timezone.now(), **lost, **late)
    other = make_unconfirmed(**late)
    aws.answers[f"/{BUCKET}?list-type"] = listing(*[f"renders/aaaaaaaaaa/{gone.out_name}"] * is_found)
    list_files = storage.list_render_files

    def delete_and_list(*args: Any, **options: Any) -> Any:
        delete_render(gone)
        return list_files(*args, **options)

    monkeypatch.setattr(storage, "list_render_files", delete_and_list)
    reconcile()
    assert [(render.pk, render.failure_reason) for render in Render.objects.all()] == [(other.pk, "lost")]
