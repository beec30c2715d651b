"""A proxy on the loopback interface that delays, resets, refuses or tears what passes."""

import http.client
import json
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.faults.gate import Gate
from tests.faults.trials import Plan

START_TIMEOUT = 4


class Proxy(ThreadingHTTPServer):
    """Forwards to ``upstream`` what no fault is planned for."""

    daemon_threads = True

    def __init__(self, service: str, upstream: str, plan: Plan, gate: Gate) -> None:
        super().__init__(("127.0.0.1", 0), ProxyHandler)
        self.service, self.plan, self.gate = service, plan, gate
        self.upstream = urlsplit(upstream)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: Any) -> None:
        """Callers that are gone are what this is about."""


class ProxyHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        is_start = self.server.service == "lambda"
        fault = self.server.plan.fault_of(self.server.service, self.path, body)
        if is_start:
            self.server.gate.pass_through("before the call", body)
            if self.is_caller_gone():
                return self.reset()
        if fault == "reset before forwarding":
            return self.reset()
        if fault in ("429", "403") or fault == "500 before forwarding":
            return self.refuse(int(fault[:3]))
        status, headers, answer = self.forward(body)
        if is_start:
            self.server.plan.learn(body, answer)
            self.server.gate.pass_through("during the call", body)
        if fault == "delay":
            time.sleep((START_TIMEOUT if is_start else 5) + 1)
        if fault == "reset after forwarding":
            return self.reset()
        if fault == "500 after forwarding":
            return self.refuse(500)
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("connection", "transfer-encoding", "content-length", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer[: len(answer) // 2] if fault == "torn body" else answer)
        self.close_connection = fault == "torn body"
        return None

    do_GET = do_HEAD = do_POST = do_PUT = handle_any  # noqa: N815

    def is_caller_gone(self) -> bool:
        """Whether the caller has closed the connection, as the end of its process does."""
        try:
            return self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        upstream = http.client.HTTPConnection(str(self.server.upstream.hostname), self.server.upstream.port, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
        upstream.request(self.command, self.path, body, headers)
        response = upstream.getresponse()
        answer = response.read()
        upstream.close()
        return response.status, response.getheaders(), answer

    def refuse(self, status: int) -> None:
        code = {429: "TooManyRequestsException", 403: "AccessDeniedException", 500: "ServiceException"}[status]
        if self.server.service == "s3":
            answer = f"<Error><Code>{'AccessDenied' if status == 403 else 'InternalError'}</Code></Error>".encode()
        else:
            answer = json.dumps({"Type": "User", "message": "No."}).encode()
        self.send_response(status)
        self.send_header("X-Amzn-ErrorType", code)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    def reset(self) -> None:
        # Closing with a linger of nothing sends RST.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass
