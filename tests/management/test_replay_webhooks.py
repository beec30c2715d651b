import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from renders.models import Render, WebhookDelivery
from renders.remotion.webhook import sign
from renders.services import incoming_webhooks
from tests.factories import BUCKET, load_recording, make_render
from tests.servers import Answer, ScriptedServer, reply, s3_error

pytestmark = pytest.mark.django_db
PATH = "/api/lambda/webhook"
RECORDED = load_recording("webhooks")
SECRET = RECORDED["secret"]
URL = f"https://renders.example{PATH}"
Status, Reason = Render.Status, Render.FailureReason


@pytest.fixture(autouse=True)
def secret(settings: Any) -> None:
    settings.REMOTION_WEBHOOK_SECRET = SECRET


def post(body: bytes, signature: str | None, **headers: str) -> Any:
    if signature is not None:
        headers["X-Remotion-Signature"] = signature
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    return client.post(PATH, body, content_type="application/json", headers=headers)


def deliver(body: bytes) -> WebhookDelivery:
    """Posts what is signed as Remotion signs it, and returns what is kept of it."""
    response = post(body, sign(body, secret=SECRET))
    assert (response.status_code, response.json()) == (200, {"success": True})
    return WebhookDelivery.objects.latest("pk")


def body_of(
    render_id: str = "abc123", *, bucket: str = BUCKET, custom_data: Any = None, recorded: str = "success"
) -> bytes:
    """A recorded body with names of ours."""
    body = json.loads(RECORDED["deliveries"][recorded]["body"])
    body |= {"renderId": render_id, "bucketName": bucket, "customData": custom_data}
    return json.dumps(body, separators=(",", ":")).encode()


def about(render: Render, **changes: Any) -> bytes:
    return body_of(render.render_id, **{"custom_data": {"id": str(render.id)}, **changes})


def last_progress(recording: str = "succeeds") -> Answer:
    return reply(load_recording(recording)[-1]["progress.json"])


def store(aws: ScriptedServer, render_id: str = "abc123", *, bucket: str = BUCKET, answer: Answer | None = None) -> str:
    """Puts a ``progress.json`` on S3; its path."""
    path = f"/{bucket}/renders/{render_id}/"
    aws.answers[path] = answer or last_progress()
    return path


@pytest.fixture
def failed(aws: ScriptedServer) -> WebhookDelivery:
    """A delivery that came while S3 was down; S3 is up again."""
    render = make_render(render_id="abc123", bucket_name=BUCKET)
    path = store(aws, answer=s3_error(503, "SlowDown"))
    delivery = deliver(about(render))
    aws.answers[path] = last_progress()
    return delivery


class TestReplay:
    def run(self, *arguments: str) -> tuple[str, str]:
        out, err = StringIO(), StringIO()
        call_command("replay_webhooks", *arguments, stdout=out, stderr=err)
        return out.getvalue(), err.getvalue()

    def test_failed_ones_are_processed(self, failed: WebhookDelivery) -> None:
        assert self.run("--failed") == ("Processed 1 deliveries.\n", "")
        failed.refresh_from_db()
        assert (failed.processed, failed.error) == (True, "")
        assert Render.objects.get().status == Status.SUCCEEDED
        assert self.run("--failed") == ("Processed 0 deliveries.\n", "")

    def test_chosen_ones_are_processed_again(self, aws: ScriptedServer) -> None:
        first, second = deliver(body_of("one")), deliver(body_of("two"))
        out, err = self.run("--id", str(second.pk), "--id", str(first.pk))
        assert out == "Processed 2 deliveries.\n"
        assert (
            err == f"{first.pk}: {incoming_webhooks.UNKNOWN_RENDER}\n{second.pk}: {incoming_webhooks.UNKNOWN_RENDER}\n"
        )

    def test_one_that_fails_again_is_told_and_keeps_no_other(self, failed: WebhookDelivery) -> None:
        bad = deliver(b"not json")
        WebhookDelivery.objects.filter(pk=bad.pk).update(id=failed.pk - 1)
        with pytest.raises(CommandError, match="1 could not be processed"):
            self.run("--failed")
        assert Render.objects.get().status == Status.SUCCEEDED

    def test_a_rejected_one_cannot_be(self) -> None:
        post(body_of(), None)
        rejected = WebhookDelivery.objects.get()
        assert self.run("--failed")[0] == "Processed 0 deliveries.\n"
        with pytest.raises(CommandError, match="1 could not be processed"):
            self.run("--id", str(rejected.pk))
        rejected.refresh_from_db()
        assert not rejected.processed

    @pytest.mark.parametrize("arguments", [[], ["--failed", "--id", "1"], ["--id", "x"], ["--id", "0"]])
    def test_what_is_to_be_done_must_be_clear(self, arguments: list[str]) -> None:
        with pytest.raises(CommandError):
            self.run(*arguments)

    @pytest.mark.parametrize("pk", ["4711", "9" * 30])
    def test_an_id_that_there_is_not(self, pk: str) -> None:
        with pytest.raises(CommandError, match=f"There is no delivery {pk}"):
            self.run("--id", pk)
