"""Bodies over a real socket: cut off, too large, in chunks."""

import json
import socket
from typing import Any

import pytest
from django.contrib.auth.models import User

from renders.models import Render
from renders.services.api_keys import create_api_key
from tests.factories import INPUT_PROPS
from tests.servers import INVOKE, ScriptedServer

BODY = json.dumps({"inputProps": INPUT_PROPS}).encode()
PATHS = ["/api/lambda/render", "/api/renders/"]


@pytest.fixture
def key(user: User) -> str:
    return create_api_key(user=user, name="shop")[1]


def send(url: str, path: str, key: str, *headers: str, body: bytes = b"", half_close: bool = False) -> tuple[int, Any]:
    """Send a request byte by byte as given; return the status and the JSON of the answer."""
    host, port = url.removeprefix("http://").split(":")
    head = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {key}",
        "Content-Type: application/json",
        "Connection: close",
        *headers,
    ]
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(65536):
            answer += part
            _, _, text = answer.partition(b"\r\n\r\n")
            if text.endswith(b"}"):
                break
    return int(answer.split()[1]), json.loads(text)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", PATHS)
class TestBody:
    def test_a_whole_one_starts_a_render(self, live_server: Any, aws: ScriptedServer, key: str, path: str) -> None:
        status, _ = send(live_server.url, path, key, f"Content-Length: {len(BODY)}", body=BODY)
        assert status in (200, 201)
        assert aws.count(INVOKE) == 1

    @pytest.mark.parametrize("length", [len(BODY) + 1, 2_000_000])
    def test_one_that_is_cut_off_after_a_whole_object_starts_nothing(
        self, live_server: Any, aws: ScriptedServer, key: str, path: str, length: int
    ) -> None:
        status, answer = send(live_server.url, path, key, f"Content-Length: {length}", body=BODY, half_close=True)
        assert (status, answer["code"]) == (400, "invalid_request")
        assert f"{len(BODY):,} of {length:,} bytes" in answer["error"]
        assert not Render.objects.exists()
        assert aws.count(INVOKE) == 0

    def test_one_that_announces_too_much_is_refused_before_it_is_sent(
        self, live_server: Any, aws: ScriptedServer, key: str, path: str
    ) -> None:
        status, answer = send(live_server.url, path, key, "Content-Length: 5000000", body=BODY)
        assert (status, answer["code"]) == (413, "payload_too_large")
        assert not Render.objects.exists()

    @pytest.mark.parametrize("length", [[], [f"Content-Length: {len(BODY)}"]])
    def test_one_in_chunks_is_told_to_have_a_length(
        self, live_server: Any, aws: ScriptedServer, key: str, path: str, length: list[str]
    ) -> None:
        chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
        status, answer = send(live_server.url, path, key, "Transfer-Encoding: chunked", *length, body=chunked)
        assert (status, answer["code"]) == (411, "length_required")
        assert not Render.objects.exists()

    @pytest.mark.parametrize("length", ["-5", "-1"])
    def test_a_length_below_zero_does_not_block(
        self, live_server: Any, aws: ScriptedServer, key: str, path: str, length: str
    ) -> None:
        status, _ = send(live_server.url, path, key, f"Content-Length: {length}", body=BODY)
        assert status == 400
        assert not Render.objects.exists()
