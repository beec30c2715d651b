"""One request: what is sent where, and what an endpoint cannot do to us."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from urllib3.connection import HTTPSConnection

from renders.services.webhooks import request
from renders.services.webhooks.request import TOO_SLOW, Outcome, post
from tests.benchmarks import tls
from tests.servers import Answer, ScriptedServer


def send(url: str, **options: Any) -> Outcome:
    return post(url, headers={"webhook-id": "msg_1"}, body=b"{}", **options)


@contextmanager
def raw_server(answer: Any, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server of one connection after the other that ``answer(connection)`` answers; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                try:
                    with context.wrap_socket(connection, server_side=True) if context else connection as stream:
                        stream.recv(65536)
                        answer(stream)
                except OSError:
                    pass

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def resolved(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Let a name server give these addresses, one at each question; return the names asked for."""
    asked: list[str] = []
    left = iter(answers)
    real = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *args: Any, **options: Any) -> list[Any]:
        if host[0].isdigit() or ":" in host:
            return real(host, port, *args, **options)
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(left), port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def be_silent(stream: socket.socket) -> None:
    while stream.recv(65536):
        pass


class TestPost:
    def test_it_sends_body_and_headers_and_returns_the_answer(self, aws: ScriptedServer) -> None:
        aws.answers["/hook"] = Answer(b"Thanks!", status=202)
        outcome = send(f"{aws.url}/hook?a=b")
        assert (outcome.status, outcome.answer, outcome.error, outcome.is_success) == (202, "Thanks!", "", True)
        assert aws.requests == [("POST", "/hook?a=b", b"{}")]
        assert aws.headers[0]["webhook-id"] == "msg_1"
        assert aws.headers[0]["host"] == aws.url.removeprefix("http://")

    @pytest.mark.parametrize("status", [300, 400, 404, 410, 500, 503])
    def test_any_other_status_is_a_failure(self, aws: ScriptedServer, status: int) -> None:
        aws.answers["/hook"] = Answer(status=status, headers={"Retry-After": "7"})
        outcome = send(f"{aws.url}/hook")
        assert (outcome.status, outcome.is_success, outcome.retry_after) == (status, False, "7")
        assert outcome.error == f"The endpoint answered {status}."

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_redirect_is_not_followed(self, aws: ScriptedServer, status: int) -> None:
        aws.answers["/hook"] = Answer(status=status, headers={"Location": f"{aws.url}/secret"})
        assert send(f"{aws.url}/hook").status == status
        assert [path for _, path, _ in aws.requests] == ["/hook"]

    def test_nobody_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        assert send(f"http://127.0.0.1:{port}/").error == "The host refused the connection."

    def test_a_connection_that_breaks(self, aws: ScriptedServer) -> None:
        aws.answers["/hook"] = Answer(reset=True)
        outcome = send(f"{aws.url}/hook")
        assert outcome.status is None
        assert outcome.error

    @pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"a" * 100_000])
    def test_an_answer_that_is_none(self, answer: bytes) -> None:
        with raw_server(lambda stream: stream.sendall(answer)) as port:
            outcome = send(f"http://127.0.0.1:{port}/")
        assert outcome.status is None
        assert outcome.error

    def test_a_torn_body_leaves_the_status(self, aws: ScriptedServer) -> None:
        aws.answers["/hook"] = Answer(b"half", missing_bytes=10)
        outcome = send(f"{aws.url}/hook")
        assert (outcome.status, outcome.answer) == (200, "half")

    def test_of_an_endless_answer_64_kb_are_read(self) -> None:
        sent = []

        def pour(stream: socket.socket) -> None:
            stream.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                sent.append(stream.send(b"\0" * 65536))

        with raw_server(pour) as port:
            outcome = send(f"http://127.0.0.1:{port}/")
        assert (outcome.status, outcome.answer) == (200, "\ufffd" * 2000)
        assert sum(sent) < 20_000_000  # what the system's buffers took

    def test_the_time_limit_is_one_for_all_and_not_for_each_byte(self) -> None:
        def drip(stream: socket.socket) -> None:
            stream.sendall(b"HTTP/1.1 200 OK\r\n")
            while True:
                stream.sendall(b"a")
                time.sleep(0.05)

        with raw_server(drip) as port:
            started = time.monotonic()
            outcome = send(f"http://127.0.0.1:{port}/", time_limit=0.5)
        assert (outcome.status, outcome.error) == (None, TOO_SLOW)
        assert time.monotonic() - started < 3

    def test_a_silent_endpoint(self) -> None:
        with raw_server(be_silent) as port:
            outcome = send(f"http://127.0.0.1:{port}/", time_limit=0.3)
        assert (outcome.status, outcome.error) == (None, TOO_SLOW)


class TestOwnNetwork:
    @pytest.fixture(autouse=True)
    def refuse_private(self, settings: Any) -> None:
        settings.WEBHOOK_ALLOW_PRIVATE = False

    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "2130706433"])
    def test_nothing_is_sent_there(self, aws: ScriptedServer, host: str) -> None:
        port = aws.url.rpartition(":")[2]
        outcome = send(f"https://{host}:{port}/hook")
        assert (outcome.status, aws.requests) == (None, [])
        assert "is not on the public internet" in outcome.error

    def test_plain_http_is_not_sent(self, aws: ScriptedServer) -> None:
        assert send(f"{aws.url}/hook").error.startswith("Send a URL that begins with https://")
        assert aws.requests == []

    def test_a_name_that_means_another_address_a_moment_later_changes_nothing(
        self, monkeypatch: pytest.MonkeyPatch, aws: ScriptedServer
    ) -> None:
        # The first answer passes the check; whoever asks again gets our own address.
        asked = resolved(monkeypatch, "8.8.8.8", "127.0.0.1", "127.0.0.1")
        connected: list[str] = []

        class Recorded(HTTPSConnection):
            def connect(self) -> None:
                connected.append(self.host)
                raise ConnectionRefusedError

        monkeypatch.setattr(request, "HTTPSConnection", Recorded)
        outcome = send("https://rebind.example/")
        assert asked == ["rebind.example"]
        assert connected == ["8.8.8.8"]
        assert (outcome.status, aws.requests) == (None, [])

    def test_and_one_that_means_our_own_address_first_is_refused(
        self, monkeypatch: pytest.MonkeyPatch, aws: ScriptedServer
    ) -> None:
        resolved(monkeypatch, "127.0.0.1")
        assert "is not on the public internet" in send("https://rebind.example/").error
        assert aws.requests == []


class TestTls:
    @pytest.fixture
    def port(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
        """A server with a certificate for 127.0.0.1, by an authority that is trusted here."""
        tls.make(tmp_path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / tls.SERVER, tmp_path / tls.KEY)
        trusting = ssl.create_default_context(cafile=str(tmp_path / tls.AUTHORITY))
        monkeypatch.setattr(request, "_tls_context", lambda: trusting)
        with raw_server(lambda stream: stream.sendall(b"HTTP/1.1 204 No Content\r\n\r\n"), context) as port:
            yield port

    def test_a_certificate_of_the_host_is_accepted(self, port: int) -> None:
        assert send(f"https://127.0.0.1:{port}/").status == 204

    def test_that_of_another_host_is_not_although_its_address_was_connected_to(
        self, port: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        resolved(monkeypatch, "127.0.0.1")
        outcome = send(f"https://other.example:{port}/")
        assert outcome.status is None
        assert outcome.error.startswith("The certificate of the host is not valid: Hostname mismatch")

    def test_nor_one_of_an_authority_that_nobody_trusts(self, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(request, "_tls_context", ssl.create_default_context)
        outcome = send(f"https://127.0.0.1:{port}/")
        assert outcome.status is None
        assert outcome.error.startswith("The certificate of the host is not valid")

    def test_a_server_without_tls(self, aws: ScriptedServer) -> None:
        outcome = send(aws.url.replace("http:", "https:"))
        assert (outcome.status, outcome.error) == (None, "No secure connection could be made.")
