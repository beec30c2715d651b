from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError
from django.test import Client
from rest_framework.test import APIClient

from renders.models import Render, WebhookDelivery
from renders.remotion.webhook import sign
from renders.services import incoming_webhooks
from tests.factories import BUCKET, make_render
from tests.s3 import store
from tests.servers import ScriptedServer
from tests.webhooks import PATH, SECRET, body_of, deliver, post

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("webhook_secret")]
Status = Render.Status


class TestUnverified:
    def refused(self, response: Any) -> str:
        """Nothing but 401 is said and a note without the body kept; the note."""
        assert response.status_code == 401
        assert response.json() == {"error": "The signature is missing or wrong."}
        delivery = WebhookDelivery.objects.latest("pk")
        assert (delivery.valid, delivery.processed, delivery.body) == (False, False, "")
        return delivery.error

    @pytest.mark.parametrize(
        ("signature", "why"),
        [
            (None, "no signature"),
            ("", "no signature"),
            ("NO_SECRET_PROVIDED", "without a secret"),
            (sign(body_of(), secret="guessed"), "does not match"),
            (sign(body_of(), secret=SECRET).removeprefix("sha512="), "does not match"),
            (sign(body_of(), secret=SECRET)[:-1], "does not match"),
            ("sha512=schlüssel", "does not match"),
            ("x" * 5000, "does not match"),
        ],
    )
    def test_a_signature_that_is_none_of_ours(self, aws: ScriptedServer, signature: str | None, why: str) -> None:
        render = make_render(render_id="abc123", bucket_name=BUCKET)
        store(aws)
        assert why in self.refused(post(body_of(), signature))
        render.refresh_from_db()
        assert render.status == Status.RENDERING
        assert aws.requests == []

    @pytest.mark.parametrize("position", [0, 20, -1])
    def test_one_byte_that_is_another(self, position: int) -> None:
        body = bytearray(body_of())
        signature = sign(bytes(body), secret=SECRET)
        body[position] ^= 1
        self.refused(post(bytes(body), signature))

    @pytest.mark.parametrize("body", [b"", b"\xff\x00", b"{" * 10_000])
    def test_what_is_no_json_is_not_looked_at(self, body: bytes) -> None:
        self.refused(post(body, "sha512=0"))

    @pytest.mark.parametrize("secret", ["", " , "])
    def test_without_a_secret_nothing_is_verified(self, settings: Any, secret: str) -> None:
        settings.REMOTION_WEBHOOK_SECRET = secret
        assert "REMOTION_WEBHOOK_SECRET is not set" in self.refused(post(body_of(), sign(body_of(), secret="")))

    def test_neither_session_nor_token_takes_its_place(self, staff: User) -> None:
        client = APIClient()
        client.force_authenticate(staff)
        self.refused(client.post(PATH, {"renderId": "abc123"}, format="json"))

    def test_the_newest_are_kept_and_those_that_were_verified(
        self, aws: ScriptedServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(incoming_webhooks, "MAX_REJECTED", 3)
        verified = deliver(body_of())
        for _ in range(6):
            post(body_of(), None)
        kept = list(WebhookDelivery.objects.values_list("pk", flat=True))
        assert len(kept) == 4
        assert verified.pk in kept
        assert WebhookDelivery.objects.latest("pk").pk == max(kept)

    def test_a_huge_one_is_not_read_to_its_end(self) -> None:
        body = b"x" * 1_000_001
        response = post(body, sign(body, secret=SECRET))
        assert response.status_code == 413
        assert "1,000,000 bytes" in response.json()["error"]
        assert not WebhookDelivery.objects.exists()

    def test_only_post_is_answered(self) -> None:
        assert Client().get(PATH).status_code == 405

    def test_a_rejected_one_cannot_hold_a_body(self) -> None:
        with pytest.raises(IntegrityError):
            WebhookDelivery.objects.create(headers={}, body="{}", valid=False)
