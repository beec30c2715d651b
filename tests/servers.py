"""A real HTTP server on the loopback interface that answers, or misbehaves, as a test tells it."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

INVOKE = "/2015-03-31/functions/"


@dataclass(frozen=True)
class Answer:
    """What is answered; with ``reset`` the connection is torn, with ``missing_bytes`` the body is."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0
    reset: bool = False
    missing_bytes: int = 0


def reply(value: Any, **options: Any) -> Answer:
    return Answer(json.dumps(value).encode(), **options)


def lambda_error(status: int, code: str, message: str = "No.") -> Answer:
    return reply({"Type": "User", "message": message}, status=status, headers={"X-Amzn-ErrorType": code})


def s3_error(status: int, code: str) -> Answer:
    return Answer(f"<Error><Code>{code}</Code><Message>No.</Message></Error>".encode(), status=status)


def sent(server: "ScriptedServer") -> Any:
    """The JSON of the one request that the server got."""
    ((_, _, body),) = server.requests
    return json.loads(body)


class QuietServer(ThreadingHTTPServer):
    request_queue_size = 256

    def handle_error(self, *_: Any) -> None:
        """Clients that give up are what these tests are about."""


class ScriptedServer:
    """Plays Lambda and S3 alike: ``answers`` maps the start of a path to what is answered there."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer | Callable[[], Answer]] = {}
        self.requests: list[tuple[str, str, bytes]] = []
        self.headers: list[dict[str, str]] = []
        """Those of each request, by their names in lower case."""
        self.connections = 0
        self._server = QuietServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def count(self, path: str) -> int:
        return sum(requested.startswith(path) for _, requested, _ in self.requests)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                scripted.connections += 1
                super().setup()

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                scripted.headers.append({name.lower(): value for name, value in self.headers.items()})
                scripted.requests.append((self.command, self.path, body))
                matching = [path for path in scripted.answers if self.path.startswith(path)]
                answer = scripted.answers[max(matching, key=len)] if matching else s3_error(404, "NoSuchKey")
                self.send(answer() if callable(answer) else answer)

            def send(self, answer: Answer) -> None:
                time.sleep(answer.delay)
                if answer.reset:
                    # Closing with a linger of nothing sends RST.
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.connection.close()
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                self.send_header("Content-Length", str(len(answer.body) + answer.missing_bytes))
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer.body)
                self.close_connection = bool(answer.missing_bytes)

            do_GET = do_HEAD = do_POST = do_PUT = handle_any  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        return Handler
