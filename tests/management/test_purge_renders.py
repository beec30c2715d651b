from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from renders.models import Batch, Event, EventCursor, Render, WebhookMessage
from renders.services.retry import retry_render
from tests.factories import BUCKET, make_endpoint, make_message, make_render
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
            == "Deleted 1 renders and 0 batches; freed 0 idempotency keys; deleted 0 webhook deliveries and 0 events.\n"
        )
        assert set(Render.objects.all()) == set(rows[1:])

    def test_a_key_that_is_still_good_keeps_its_row(self) -> None:
        make_render(Status.SUCCEEDED, finished_at=timezone.now() - timedelta(hours=2), idempotency_key="a")
        said = self.run("--older-than", "1h")
        assert said.startswith("Deleted 0 renders ")
        assert said.endswith("1 are kept, because their Idempotency-Key is still good.\n")

    def test_but_not_a_key_of_our_own(self, aws: ScriptedServer) -> None:
        again = retry_render(make_render(Status.FAILED, finished_at=timezone.now())).render
        before = timezone.now() - timedelta(hours=2)
        Render.objects.filter(pk=again.pk).update(status=Status.SUCCEEDED, created_at=before, finished_at=before)
        assert self.run("--older-than", "1h").startswith("Deleted 1 renders ")

    def test_with_their_files(self, rows: tuple[Render, Render, Render], bucket: Any) -> None:
        for name in ("old/progress.json", "old/out.mp4", "older/progress.json", "young/out.mp4"):
            put(bucket, f"renders/{name}")
        for row in rows[:2]:
            put(bucket, f"input-props/{row.id}.json")
        assert self.run("--older-than", "90d", "--remote").startswith("Deleted 1 renders and 3 files ")
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
        assert (
            self.run("--older-than", "90d", "--dry-run")
            == "1 renders, 0 batches without renders, 0 webhook deliveries and 0 events would be deleted.\n"
        )
        assert Render.objects.count() == 3

    @pytest.mark.parametrize("text", ["90", "d", "-1d", "1y", "9" * 12 + "d"])
    def test_an_age_that_is_none_is_told(self, text: str) -> None:
        with pytest.raises(CommandError, match="90d, 36h or 30m"):
            self.run(f"--older-than={text}")


class TestBatches:
    LONG_AGO = timezone.now() - timedelta(days=91)

    def purge(self) -> str:
        out = StringIO()
        call_command("purge_renders", "--older-than", "90d", stdout=out)
        return out.getvalue()

    def batch(self, **fields: Any) -> Batch:
        return Batch.objects.create(**{"created_at": self.LONG_AGO, "completed_at": self.LONG_AGO, **fields})

    def test_one_goes_with_the_last_of_its_renders(self) -> None:
        gone, kept = self.batch(), self.batch()
        Event.objects.create(type="batch.completed", batch=gone, data={})
        old = {"created_at": self.LONG_AGO, "finished_at": self.LONG_AGO}
        make_render(Status.SUCCEEDED, batch=gone, **old)
        make_render(Status.SUCCEEDED, batch=kept, **old)
        make_render(Status.SUCCEEDED, batch=kept)
        assert self.purge().startswith("Deleted 2 renders and 1 batches;")
        assert set(Batch.objects.all()) == {kept}
        assert not Event.objects.exists()

    def test_one_without_renders_goes_when_it_is_old(self) -> None:
        self.batch()
        young, active = self.batch(completed_at=timezone.now()), self.batch(completed_at=None)
        assert self.purge().startswith("Deleted 0 renders and 1 batches;")
        assert set(Batch.objects.all()) == {young, active}

    def test_one_that_a_key_leads_to_or_a_webhook_has_to_tell_of_stays(self, user: User) -> None:
        keyed, told = self.batch(created_at=timezone.now(), idempotency_key="a"), self.batch()
        event = Event.objects.create(type="batch.completed", batch=told, data={})
        message = make_message(make_endpoint(user, "https://example.com/"), event=event)
        assert self.purge().startswith("Deleted 0 renders and 0 batches;")
        WebhookMessage.objects.filter(pk=message.pk).update(status="delivered")
        Batch.objects.filter(pk=keyed.pk).update(created_at=self.LONG_AGO)
        assert self.purge().startswith("Deleted 0 renders and 2 batches;")


class TestEvents:
    def purge(self, *arguments: str) -> str:
        out = StringIO()
        call_command("purge_renders", "--older-than", "90d", *arguments, stdout=out)
        return out.getvalue()

    def test_a_render_that_a_webhook_has_still_to_tell_of_stays_with_it(self, user: User) -> None:
        long_ago = timezone.now() - timedelta(days=91)
        render = make_render(Status.SUCCEEDED, owner=user, finished_at=long_ago, created_at=long_ago)
        message = make_message(make_endpoint(user, "https://example.com/"), render)
        assert self.purge().startswith("Deleted 0 renders ")
        WebhookMessage.objects.filter(pk=message.pk).update(status="failed")
        assert self.purge().startswith("Deleted 1 renders ")

    def test_old_ones_that_everybody_was_told_of_go_with_their_webhooks(self, user: User) -> None:
        endpoint, render = make_endpoint(user, "https://example.com/"), make_render(owner=user)
        statuses = ("delivered", "pending", "failed")
        told, waiting, young = (make_message(endpoint, render, status=status) for status in statuses)
        make_message(endpoint, status="delivered", created_at=timezone.now() - timedelta(days=40))
        not_handed_on = Event.objects.create(type="render.failed", data={})
        last = Event.objects.exclude(pk=not_handed_on.pk).latest("pk")
        EventCursor.objects.create(name="webhooks", last_event_id=last.pk)
        Event.objects.exclude(messages=young).update(created_at=timezone.now() - timedelta(days=40))
        assert "1 events would be deleted" in self.purge("--events-older-than", "30d", "--dry-run")
        assert "deleted 0 webhook deliveries and 0 events" in self.purge()
        assert "and 1 events" in self.purge("--events-older-than", "30d")
        assert set(WebhookMessage.objects.all()) == {waiting, young}
        assert not Event.objects.filter(messages=told).exists()
        assert Event.objects.count() == 3
        assert Event.objects.filter(pk=not_handed_on.pk).exists()
