"""The endpoint: it notes what arrives, and fails every third time."""

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Self

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.servers import QuietServer

FAIL_EVERY = 3


@dataclass(frozen=True)
class Arrival:
    """One request, in the order in which they came."""

    message_id: str
    render_id: str
    type: str
    is_accepted: bool


class Receiver:
    """Listens from ``with`` to its end; ``secret`` is the endpoint's."""

    def __init__(self) -> None:
        self.secret = ""
        self.arrivals: list[Arrival] = []
        self.forged = 0
        """Requests whose signature the official library refuses."""
        self._lock = threading.Lock()
        self._server = QuietServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    @property
    def accepted(self) -> int:
        return sum(arrival.is_accepted for arrival in self.arrivals)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def note(self, body: bytes, headers: dict[str, str]) -> int:
        """Return the status to answer with."""
        event = json.loads(body)
        try:
            Webhook(self.secret).verify(body, headers)
        except WebhookVerificationError:
            self.forged += 1
        with self._lock:
            is_accepted = (len(self.arrivals) + 1) % FAIL_EVERY != 0
            self.arrivals.append(Arrival(headers["webhook-id"], event["data"]["id"], event["type"], is_accepted))
        return 200 if is_accepted else 500

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.note(body, {name.lower(): value for name, value in self.headers.items()})
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return Handler
