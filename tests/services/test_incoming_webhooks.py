import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from renders.models import Render, WebhookDelivery
from renders.remotion.webhook import sign
from renders.services import incoming_webhooks
from renders.services.create import create_render
from renders.services.dispatch import dispatch_next
from renders.services.refresh.apply import change_render
from renders.services.render_request import RenderRequest
from tests.factories import BUCKET, INPUT_PROPS, load_recording, make_render
from tests.s3 import last_progress, store
from tests.servers import INVOKE, Answer, ScriptedServer, reply, s3_error
from tests.webhooks import PATH, RECORDED, SECRET, URL, about, body_of, deliver, post

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("webhook_secret")]
Status, Reason = Render.Status, Render.FailureReason


def during_the_call(aws: ScriptedServer, answer: Answer | Callable[[], Answer]) -> None:
    """Remotion's delivery arrives while the call that starts the render still waits for ``answer``."""
    assert isinstance(answer, Answer)

    def deliver_and_answer() -> Answer:
        try:
            deliver(body_of(custom_data={"id": str(Render.objects.get().id)}))
        finally:
            connection.close()
        return answer

    aws.answers[INVOKE] = deliver_and_answer


class TestRecorded:
    @pytest.mark.parametrize(
        ("name", "recording", "status", "error"),
        [
            ("success", "succeeds", Status.SUCCEEDED, ""),
            ("error", "throws-in-chunk", Status.FAILED, "boom at 100"),
            ("error-before-metadata", "bad-metadata", Status.FAILED, "must be positive"),
            ("error-after-cancel", "cancelled", Status.CANCELLED, ""),
        ],
    )
    def test_each_brings_its_row_to_its_end(
        self, aws: ScriptedServer, name: str, recording: str, status: str, error: str
    ) -> None:
        recorded = RECORDED["deliveries"][name]
        body = json.loads(recorded["body"])
        cancel: dict[str, Any] = {"cancel_requested_at": timezone.now()} if status == Status.CANCELLED else {}
        render = make_render(render_id=body["renderId"], bucket_name=body["bucketName"], **cancel)
        store(aws, body["renderId"], bucket=body["bucketName"], answer=last_progress(recording))
        response = Client(enforce_csrf_checks=True).post(
            PATH, recorded["body"], content_type="application/json", headers=recorded["headers"]
        )
        assert response.status_code == 200
        render.refresh_from_db()
        assert render.status == status
        assert error in render.error
        delivery = WebhookDelivery.objects.get()
        assert (delivery.is_processed, delivery.error) == (True, "")
        assert delivery.body == recorded["body"]
        assert delivery.processed_at
        assert delivery.processed_at >= delivery.received_at

    def test_the_slash_at_the_end_does_not_matter(self, aws: ScriptedServer) -> None:
        body = body_of()
        headers = {"X-Remotion-Signature": sign(body, secret=SECRET)}
        assert Client().post(f"{PATH}/", body, content_type="application/json", headers=headers).status_code == 200

    def test_of_the_headers_no_secret_is_kept(self, aws: ScriptedServer) -> None:
        body = body_of()
        post(body, sign(body, secret=SECRET), Authorization="Bearer t", Cookie="a=b", **{"User-Agent": "x" * 999})
        headers = WebhookDelivery.objects.get().headers
        assert set(headers) == {"Content-Type", "Content-Length", "User-Agent", "X-Remotion-Signature"}
        assert len(headers["User-Agent"]) == 255

    def test_a_timeout_is_news_too_and_the_row_ends_by_its_deadline(self, aws: ScriptedServer) -> None:
        """Remotion tells of a timeout a second before it, and writes nothing of it."""
        progress_json = load_recording("succeeds")[5]["progress.json"]
        progress_json["timeoutTimestamp"] = timezone.now().timestamp() * 1000 + 1000
        render = make_render()
        store(aws, render.render_id, answer=reply(progress_json))
        body = json.dumps({"type": "timeout", "renderId": render.render_id, "bucketName": BUCKET}).encode()
        assert deliver(body).is_processed
        render.refresh_from_db()
        assert render.status == Status.RENDERING
        assert render.refreshed_at


class TestRotation:
    @pytest.mark.parametrize("secret", ["new", "old"])
    def test_any_secret_verifies(self, aws: ScriptedServer, settings: Any, secret: str) -> None:
        settings.REMOTION_WEBHOOK_SECRET = "new, old"
        assert post(body_of(), sign(body_of(), secret=secret)).status_code == 200

    def test_one_that_was_taken_out_does_not(self, settings: Any) -> None:
        settings.REMOTION_WEBHOOK_SECRET = "new"
        assert post(body_of(), sign(body_of(), secret="old")).status_code == 401


class TestOddOrder:
    def test_repeated_ones_are_read_once_and_change_nothing(self, aws: ScriptedServer) -> None:
        render = make_render()
        path = store(aws, render.render_id)
        deliver(about(render))
        render.refresh_from_db()
        before = Render.objects.filter(pk=render.pk).values().get()
        assert [deliver(about(render)).is_processed for _ in range(3)] == [True] * 3
        assert Render.objects.filter(pk=render.pk).values().get() == before
        assert aws.count(path) == 1

    @pytest.mark.parametrize("recorded", ["success", "error"])
    @pytest.mark.parametrize("status", Render.TERMINAL)
    def test_a_late_one_moves_no_row_that_is_over_by_what_it_says(
        self, aws: ScriptedServer, status: str, recorded: str
    ) -> None:
        render = make_render(status)
        assert deliver(about(render, recorded=recorded)).is_processed
        render.refresh_from_db()
        assert render.status == status

    def test_an_error_that_is_told_after_the_success_changes_nothing(self, aws: ScriptedServer) -> None:
        render = make_render()
        store(aws, render.render_id)
        deliver(about(render, recorded="error"))
        render.refresh_from_db()
        assert render.status == Status.SUCCEEDED, "S3 has the truth"

    def test_of_a_render_that_nobody_knows(self, aws: ScriptedServer) -> None:
        for custom_data in (None, 1, {"job": 1}, {"id": 7}, {"id": "job 7"}, {"id": "6f1f7a0e-0000-4000-8000-0"}):
            delivery = deliver(body_of("stranger", custom_data=custom_data))
            assert (delivery.is_processed, delivery.error) == (True, incoming_webhooks.UNKNOWN_RENDER)
        assert aws.requests == []

    @pytest.mark.parametrize(
        "body",
        [
            b"not json",
            b"\xff",
            b"[]",
            b"null",
            b"{}",
            b'{"type":"success","renderId":"","bucketName":"b"}',
            b'{"type":"success","renderId":"a"}',
            b'{"type":"success","renderId":["a"],"bucketName":"b"}',
            b'{"type":"success","bucketName":"b","renderId":"' + b"x" * 256 + b'"}',
            b"[" * 100_000,
        ],
    )
    def test_signed_and_yet_no_delivery_is_kept_with_what_is_wrong(self, body: bytes) -> None:
        delivery = deliver(body)
        assert not delivery.is_processed
        assert delivery.error
        assert delivery.body

    @pytest.mark.parametrize("text", [b"\\u0000", b"\\ud800", b"\0", b"\xff"])
    def test_text_that_no_database_can_hold_is_looked_for_and_not_found(self, text: bytes) -> None:
        body = b'{"renderId":"a%s","bucketName":"b","customData":{"id":"%s"}}' % (text, text)
        assert deliver(body).error == incoming_webhooks.UNKNOWN_RENDER


class TestBeforeOurStartReturned:
    def test_a_row_unconfirmed_takes_the_render_and_is_read(self, aws: ScriptedServer) -> None:
        store(aws, "theirs")
        render = make_render(Status.SUBMITTING, error="AWS Lambda did not answer.")
        assert deliver(body_of("theirs", custom_data={"id": str(render.id)})).is_processed
        render.refresh_from_db()
        assert (render.status, render.render_id, render.bucket_name) == (Status.SUCCEEDED, "theirs", BUCKET)
        assert render.error == ""
        assert "theirs" in render.cloudwatch_logs
        assert "theirs" in render.folder_in_s3_console

    def test_so_does_one_that_was_called_lost(self, aws: ScriptedServer) -> None:
        store(aws, "theirs")
        render = make_render(Status.FAILED, failure_reason=Reason.LOST, render_id="", bucket_name="")
        deliver(body_of("theirs", custom_data={"id": str(render.id)}))
        render.refresh_from_db()
        assert (render.status, render.failure_reason) == (Status.SUCCEEDED, "")

    @pytest.mark.parametrize("reading", [last_progress(), s3_error(404, "NoSuchKey"), s3_error(503, "SlowDown")])
    @pytest.mark.django_db(transaction=True)
    def test_the_start_that_returns_later_finds_its_own_render(
        self, aws: ScriptedServer, api: APIClient, reading: Answer
    ) -> None:
        store(aws, answer=reading)
        during_the_call(aws, aws.answers[INVOKE])
        response = api.post("/api/lambda/render", {"inputProps": INPUT_PROPS}, format="json")
        assert response.status_code == 200
        assert response.json()["renderId"] == "abc123"
        render = Render.objects.get()
        assert render.status == (Status.SUCCEEDED if reading.status == 200 else Status.RENDERING)
        assert WebhookDelivery.objects.get().is_processed == (reading.status != 503)

    @pytest.mark.django_db(transaction=True)
    def test_a_start_that_breaks_off_is_not_unconfirmed_any_more(self, aws: ScriptedServer, api: APIClient) -> None:
        store(aws)
        during_the_call(aws, Answer(reset=True))
        response = api.post("/api/lambda/render", {"inputProps": INPUT_PROPS}, format="json")
        assert (response.status_code, response.json()["renderId"]) == (200, "abc123")
        assert aws.count(INVOKE) == 1

    @pytest.mark.django_db(transaction=True)
    def test_a_queued_render_is_started_as_well(self, aws: ScriptedServer) -> None:
        store(aws)
        during_the_call(aws, aws.answers[INVOKE])
        make_render(Status.QUEUED, submitted_at=None)
        render = dispatch_next()
        assert render
        assert (render.status, render.render_id) == (Status.SUCCEEDED, "abc123")


class TestCustomDataThatPointsElsewhere:
    def test_the_row_that_has_the_render_is_the_one(self, aws: ScriptedServer) -> None:
        theirs, other = make_render(), make_render(Status.SUBMITTING)
        store(aws, theirs.render_id)
        assert deliver(about(theirs, custom_data={"id": str(other.id)})).is_processed
        theirs.refresh_from_db()
        other.refresh_from_db()
        assert theirs.status == Status.SUCCEEDED
        assert (other.status, other.render_id) == (Status.SUBMITTING, "")

    @pytest.mark.parametrize("status", [status for status in Status if status != Status.SUBMITTING])
    def test_a_row_whose_start_is_not_unconfirmed_takes_no_render(self, aws: ScriptedServer, status: str) -> None:
        render = make_render(status)
        delivery = deliver(body_of("second", custom_data={"id": str(render.id)}))
        assert delivery.is_processed
        assert delivery.error == f"The render {render.id}, which is {status}, cannot take the renderId second."
        before = render.render_id
        render.refresh_from_db()
        assert (render.status, render.render_id) == (status, before)

    def test_the_same_renderid_in_another_bucket_is_another_render(self, aws: ScriptedServer) -> None:
        render = make_render()
        assert deliver(about(render, bucket="elsewhere", custom_data=None)).error == incoming_webhooks.UNKNOWN_RENDER

    def test_another_row_that_takes_the_render_at_that_moment_keeps_it(
        self, aws: ScriptedServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        claimed, faster = make_render(Status.SUBMITTING), make_render(Status.SUBMITTING)

        def slowly(*arguments: Any) -> Render:
            Render.objects.filter(pk=faster.pk).update(status="rendering", render_id="abc123", bucket_name=BUCKET)
            return change_render(*arguments)

        monkeypatch.setattr("renders.services.incoming_webhooks.change_render", slowly)
        delivery = deliver(body_of(custom_data={"id": str(claimed.id)}))
        assert "cannot take the renderId abc123" in delivery.error
        for row, render_id in ((claimed, ""), (faster, "abc123")):
            row.refresh_from_db()
            assert row.render_id == render_id


class TestSeveralAtOnce:
    def test_their_renders_are_fetched_together_and_each_has_its_own_result(self, aws: ScriptedServer) -> None:
        aws.answers[f"/{BUCKET}/renders/"] = s3_error(503, "SlowDown")
        done, unreadable = make_render(), make_render()
        bodies = [about(done), about(done), about(unreadable), body_of("stranger"), b"not json"]
        deliveries = [WebhookDelivery.objects.create(headers={}, body=body.decode()) for body in bodies]
        path = store(aws, done.render_id)
        incoming_webhooks.process_deliveries(deliveries)
        stored = WebhookDelivery.objects.order_by("pk")
        assert [delivery.is_processed for delivery in stored] == [True, True, False, True, False]
        errors = [delivery.error for delivery in stored]
        assert errors[:2] == ["", ""]
        assert "SlowDown" in errors[2]
        assert errors[3] == incoming_webhooks.UNKNOWN_RENDER
        assert "not JSON" in errors[4]
        assert aws.count(path) == 1
        done.refresh_from_db()
        assert done.status == Status.SUCCEEDED

    def test_one_that_was_deleted_meanwhile_spoils_no_other(self, aws: ScriptedServer) -> None:
        gone, kept = (WebhookDelivery.objects.create(headers={}, body=body_of().decode()) for _ in range(2))
        WebhookDelivery.objects.filter(pk=gone.pk).delete()
        incoming_webhooks.process_deliveries([gone, kept])
        assert WebhookDelivery.objects.get().is_processed


class TestNames:
    def test_the_ids_that_a_delivery_names_are_stored_though_s3_is_down(self, failed: WebhookDelivery) -> None:
        assert (failed.render_id, failed.our_id) == ("abc123", Render.objects.get().id)

    def test_it_is_found_by_either(self, aws: ScriptedServer) -> None:
        render = make_render(Status.SUCCEEDED)
        both, second, stranger = deliver(about(render)), deliver(about(render) + b" "), deliver(body_of("other"))
        unreadable = deliver(b"not json")
        assert (unreadable.render_id, unreadable.our_id) == ("", None)
        found = WebhookDelivery.objects.matching_id
        assert set(found(str(render.id))) == set(found(render.render_id)) == {both, second}
        assert set(found("other", render.render_id)) == {both, second, stranger}
        assert set(found("")) == set(found()) == set()


class TestWhileS3IsDown:
    def test_the_delivery_is_kept_and_the_row_as_it_was(self, failed: WebhookDelivery) -> None:
        assert not failed.is_processed
        assert "S3 failed (SlowDown)" in failed.error
        assert Render.objects.get().status == Status.RENDERING

    def test_polling_does_not_wait_for_it(self, failed: WebhookDelivery) -> None:
        call_command("refresh_renders", stdout=StringIO())
        assert Render.objects.get().status == Status.SUCCEEDED


class TestStart:
    def webhook(self, aws: ScriptedServer) -> Any:
        render = create_render(owner=None, request=RenderRequest(input_props=INPUT_PROPS), may_wait=False).render
        return render, json.loads(aws.requests[0][2])["webhook"]

    def test_carries_the_webhook_and_our_id(self, aws: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_WEBHOOK_URL = URL
        settings.REMOTION_WEBHOOK_SECRET = "new,old"
        render, webhook = self.webhook(aws)
        assert webhook == {"url": URL, "secret": "new", "customData": {"id": str(render.id)}}

    @pytest.mark.parametrize(("url", "secret"), [("", SECRET), (URL, ""), (URL, ","), ("", "")])
    def test_only_if_both_are_set(self, aws: ScriptedServer, settings: Any, url: str, secret: str) -> None:
        settings.REMOTION_WEBHOOK_URL, settings.REMOTION_WEBHOOK_SECRET = url, secret
        assert self.webhook(aws)[1] is None

    def test_the_secret_is_neither_kept_nor_logged(
        self, aws: ScriptedServer, settings: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG", "renders")
        settings.REMOTION_WEBHOOK_URL, settings.REMOTION_WEBHOOK_SECRET = URL, "hush-hush"
        render, _ = self.webhook(aws)
        body = about(render)
        post(body, sign(body, secret="hush-hush"))
        rows = [*Render.objects.values_list(), *WebhookDelivery.objects.values_list()]
        assert "hush-hush" not in f"{rows}{caplog.text}"


def test_old_deliveries_are_purged() -> None:
    for days in (91, 89):
        received_at = timezone.now() - timedelta(days=days)
        WebhookDelivery.objects.create(headers={}, received_at=received_at)
    out = StringIO()
    call_command("purge_renders", "--older-than", "90d", "--dry-run", stdout=out)
    call_command("purge_renders", "--older-than", "90d", stdout=out)
    assert "1 webhook deliveries and 0 events would be deleted." in out.getvalue()
    assert "deleted 1 webhook deliveries and 0 events." in out.getvalue()
    assert WebhookDelivery.objects.count() == 1
