import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.client import HTTPConnection
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.servers.basehttp import WSGIRequestHandler
from django.test import Client
from pytest_django.live_server_helper import LiveServer
from rest_framework.test import APIClient

from renders.models import Render, WebhookDelivery
from renders.remotion.webhook import sign
from renders.services import incoming_webhooks
from renders.services.log_throttle import LogThrottle
from tests.factories import BUCKET, make_render
from tests.s3 import store
from tests.servers import ScriptedServer
from tests.webhooks import PATH, SECRET, URL, body_of, deliver, post

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("webhook_secret")]
Status = Render.Status
LOGGER = "renders.services.incoming_webhooks"


@pytest.fixture(autouse=True)
def throttle(monkeypatch: pytest.MonkeyPatch) -> LogThrottle:
    """A process that has rejected nothing yet."""
    throttle = LogThrottle(logging.getLogger(LOGGER))
    monkeypatch.setattr(incoming_webhooks, "_rejected", throttle)
    return throttle


class TestUnverified:
    @pytest.fixture(autouse=True)
    def keep_log(self, caplog: pytest.LogCaptureFixture) -> None:
        self.caplog = caplog

    def refused(self, response: Any) -> str:
        """Nothing but 401 is answered and nothing stored; return the reason in the log."""
        assert response.status_code == 401
        assert response.json() == {"error": "The signature is missing or wrong.", "code": "signature_invalid"}
        assert not WebhookDelivery.objects.exists()
        (record,) = [record for record in self.caplog.records if record.name == LOGGER]
        return record.getMessage()

    @pytest.mark.parametrize(
        ("signature", "why"),
        [
            (None, "no signature"),
            ("", "no signature"),
            ("NO_SECRET_PROVIDED", "without a secret"),
            (sign(body_of(), secret="guessed"), "another secret"),
            (sign(body_of(), secret=SECRET).removeprefix("sha512="), "not one of Remotion's form"),
            (sign(body_of(), secret=SECRET)[:-1], "not one of Remotion's form"),
            (sign(body_of(), secret=SECRET).upper(), "not one of Remotion's form"),
            ("sha512=schlüssel", "not one of Remotion's form"),
            ("x" * 5000, "not one of Remotion's form"),
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
        assert "for another body" in self.refused(post(bytes(body), signature))

    @pytest.mark.parametrize("body", [b"", b"\xff\x00", b"{" * 10_000])
    def test_what_is_no_json_is_not_looked_at(self, body: bytes) -> None:
        self.refused(post(body, "sha512=0"))

    @pytest.mark.parametrize("secret", ["", " , "])
    def test_without_a_secret_nothing_is_verified(self, settings: Any, secret: str) -> None:
        settings.REMOTION_WEBHOOK_URL, settings.REMOTION_WEBHOOK_SECRET = URL, secret
        assert "REMOTION_WEBHOOK_SECRET is not set" in self.refused(post(body_of(), sign(body_of(), secret="")))

    def test_neither_session_nor_token_takes_its_place(self, staff: User) -> None:
        client = APIClient()
        client.force_authenticate(staff)
        self.refused(client.post(PATH, {"renderId": "abc123"}, format="json"))

    def test_the_database_is_not_asked(self, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(0):
            assert post(body_of(), sign(body_of(), secret="outdated")).status_code == 401

    def test_a_huge_one_is_not_read_to_its_end(self) -> None:
        body = b"x" * 1_000_001
        response = post(body, sign(body, secret=SECRET))
        assert response.status_code == 413
        assert "1,000,000 bytes" in response.json()["error"]
        assert not WebhookDelivery.objects.exists()

    def test_only_post_is_answered(self) -> None:
        assert Client().get(PATH).status_code == 405


class TestNotConfigured:
    @pytest.mark.parametrize("method", ["get", "post", "put", "options"])
    @pytest.mark.parametrize("secret", ["", " , "])
    def test_the_address_does_not_exist(self, settings: Any, method: str, secret: str) -> None:
        settings.REMOTION_WEBHOOK_SECRET = secret
        client = Client(enforce_csrf_checks=True)
        answer, unknown = getattr(client, method)(PATH), getattr(client, method)("/api/lambda/webhoot")
        assert (answer.status_code, answer.json()["error"]) == (
            unknown.status_code,
            unknown.json()["error"].replace("webhoot", "webhook"),
        )
        assert answer.status_code == 404

    def test_a_secret_alone_receives_what_was_started_with_a_url(self, aws: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_WEBHOOK_URL = ""
        assert deliver(body_of()).is_processed


@pytest.mark.django_db(transaction=True)
class TestFlood:
    FORGED = {
        None: "There is no signature.",
        "NO_SECRET_PROVIDED": "The render was started without a secret.",
        "sha512=0": "The signature is not one of Remotion's form.",
    }
    BODY = body_of()

    def test_many_forged_deliveries_store_nothing_and_hide_no_other(
        self,
        live_server: LiveServer,
        settings: Any,
        aws: ScriptedServer,
        throttle: LogThrottle,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        # Else each answer waits 40 ms for the client's delayed acknowledgement.
        monkeypatch.setattr(WSGIRequestHandler, "disable_nagle_algorithm", True)
        settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
        forged = [*self.FORGED] * 400
        genuine = [sign(self.BODY, secret=SECRET), sign(self.BODY, secret="outdated")]
        signatures = [*forged[:600], *genuine, *forged[600:]]
        with ThreadPoolExecutor(4) as clients:
            parts = [signatures[number::4] for number in range(4)]
            answers = Counter(chain(*clients.map(partial(self.post_all, live_server), parts)))
        assert answers == {401: 1201, 200: 1}
        assert WebhookDelivery.objects.get().render_id == "abc123"
        about = [record.getMessage() for record in caplog.records if record.name == LOGGER]
        begin = "A webhook delivery was rejected. "
        outdated = f"{begin}The signature was made with another secret, or for another body."
        assert sorted(about) == sorted([*(begin + why for why in self.FORGED.values()), outdated])

        caplog.clear()
        throttle.flush(all_counts=True)
        counted = Counter({record.getMessage().split(" (")[0]: record.__dict__["count"] for record in caplog.records})
        assert counted == Counter(begin + self.FORGED[signature] for signature in forged) - Counter(about)

    def post_all(self, server: LiveServer, signatures: list[str | None]) -> list[int]:
        """Post over one connection; return the statuses."""
        connection = HTTPConnection(urlsplit(server.url).netloc)
        statuses = []
        for signature in signatures:
            connection.request("POST", PATH, self.BODY, {"X-Remotion-Signature": signature} if signature else {})
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)
        connection.close()
        return statuses
