from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from renders.models import Render
from renders.services.retry import retry_render
from tests.factories import BUCKET, make_render
from tests.s3 import put
from tests.servers import Answer, ScriptedServer

pytestmark = pytest.mark.django_db
Status = Render.Status


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
        before = timezone.now() - timedelta(hours=2)
        Render.objects.filter(pk=again.pk).update(status=Status.SUCCEEDED, created_at=before, finished_at=before)
        assert self.run("--older-than", "1h").startswith("Deleted 1 renders;")

    def test_with_their_files(self, rows: tuple[Render, Render, Render], bucket: Any) -> None:
        for name in ("old/progress.json", "old/out.mp4", "older/progress.json", "young/out.mp4"):
            put(bucket, f"renders/{name}")
        for row in rows[:2]:
            put(bucket, f"input-props/{row.id}.json")
        assert self.run("--older-than", "90d", "--remote").startswith("Deleted 1 renders and 3 files;")
        left = [item["Key"] for item in bucket.list_objects_v2(Bucket=BUCKET)["Contents"]]
        assert left == [f"input-props/{rows[1].id}.json", "renders/older/progress.json", "renders/young/out.mp4"]

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
