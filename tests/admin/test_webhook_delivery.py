import json
from typing import Any

import pytest
from django.contrib.auth.models import User
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


class TestAdmin:
    LIST = "/admin/renders/webhookdelivery/"

    @pytest.fixture
    def admin(self, staff: User, client: Client) -> Client:
        client.force_login(staff)
        return client

    def test_list_filters_and_finds(self, admin: Client, failed: WebhookDelivery) -> None:
        post(body_of(), None)
        rejected = WebhookDelivery.objects.rejected().get()
        for query, shown, hidden in [
            ("valid__exact=0", rejected, failed),
            ("valid__exact=1&processed__exact=0", failed, rejected),
            ("error__isempty=0&q=abc123", failed, rejected),
        ]:
            content = admin.get(f"{self.LIST}?{query}").content.decode()
            assert f"{self.LIST}{shown.pk}/change/" in content
            assert f"{self.LIST}{hidden.pk}/change/" not in content

    def test_page_shows_everything_and_nothing_can_be_changed(self, admin: Client) -> None:
        delivery = deliver(body_of("<b>bold</b>"))
        content = admin.get(f"{self.LIST}{delivery.pk}/change/").content.decode()
        for words in ("&lt;b&gt;bold&lt;/b&gt;", "X-Remotion-Signature", incoming_webhooks.UNKNOWN_RENDER):
            assert words in content
        assert 'name="_save"' not in content
        assert [admin.get(f"{self.LIST}{path}").status_code for path in ("add/", f"{delivery.pk}/delete/")] == [403] * 2

    def test_chosen_ones_are_processed_again(self, admin: Client, failed: WebhookDelivery) -> None:
        post(body_of(), None)
        deliver(b"not json")
        data = {"action": "process_again", "_selected_action": [str(pk) for pk in self.ids()]}
        content = admin.post(self.LIST, data, follow=True).content.decode()
        assert "Deliveries: 1 rejected and left alone, 1 processed, 1 failed." in content
        assert Render.objects.get().status == Status.SUCCEEDED

    def ids(self) -> list[int]:
        return list(WebhookDelivery.objects.values_list("pk", flat=True))
