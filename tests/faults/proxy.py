"""A proxy on the loopback interface that delays, resets, refuses, repeats or tears what passes."""

import http.client
import json
import socket
import struct
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.faults.gate import TIME_LIMIT_SECONDS, Gate
from tests.faults.trials import Plan

START_TIMEOUT = 4
DELAYS = {"lambda": START_TIMEOUT + 1, "s3": 6, "webhook": 11}
"""Seconds that a delay lasts: longer than the service, or for a delivery Remotion, waits for an answer."""
REFUSALS = {"429": 429, "403": 403, "500 before forwarding": 500, "500 after forwarding": 500, "lost": 500}
CODES = {
    ("lambda", 429): "TooManyRequestsException",
    ("lambda", 403): "AccessDeniedException",
    ("lambda", 500): "ServiceException",
    ("s3", 403): "AccessDenied",
    ("s3", 500): "InternalError",
    ("webhook", 500): "",
}
OWN_HEADERS = ("connection", "transfer-encoding", "content-length", "date", "server")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


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
        fault = self.server.plan.fault_of(self.server.service, self.path, body)
        if self.server.service == "lambda":
            self.server.gate.pass_through("before the call", body)
            if self.is_caller_gone():
                return self.reset()
        if fault == "reset before forwarding":
            return self.reset()
        if fault in REFUSALS and fault != "500 after forwarding":
            return self.refuse(fault)
        if fault == "late":
            time.sleep(DELAYS["webhook"])
        answer = self.forward(body)
        if fault == "repeated":
            answer = self.forward(body)
        return self.answer(fault, body, answer)

    do_GET = do_HEAD = do_POST = do_PUT = handle_any  # noqa: N815

    def answer(self, fault: str, body: bytes, answer: Answer) -> None:
        """Send what the upstream answered, with what the fault makes of it."""
        is_before_save = False
        if self.server.service == "lambda":
            self.server.plan.learn(body, answer.body)
            self.server.gate.pass_through("during the call", body)
            is_before_save = self.server.gate.pass_through("before the save", body)
        if fault == "delay":
            time.sleep(DELAYS[self.server.service])
        if fault == "reset after forwarding":
            return self.reset()
        if fault == "500 after forwarding":
            return self.refuse(fault)
        self.close_connection = fault == "torn body" or is_before_save
        self.send(answer, missing_bytes=len(answer.body) // 2 if fault == "torn body" else 0)
        if is_before_save and self.is_read_to_the_end():
            self.server.gate.answered.set()
        return None

    def send(self, answer: Answer, *, missing_bytes: int = 0) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers:
            if name.lower() not in OWN_HEADERS:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body[: len(answer.body) - missing_bytes])

    def is_caller_gone(self) -> bool:
        """Whether the caller has closed the connection, as the end of its process does."""
        try:
            return self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def is_read_to_the_end(self) -> bool:
        """Wait for the caller to close the connection: it does so when it has read the last byte."""
        self.connection.settimeout(TIME_LIMIT_SECONDS)
        return self.connection.recv(1) == b""

    def forward(self, body: bytes) -> Answer:
        upstream = http.client.HTTPConnection(str(self.server.upstream.hostname), self.server.upstream.port, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
        upstream.request(self.command, self.path, body, headers)
        response = upstream.getresponse()
        answer = Answer(response.status, response.getheaders(), response.read())
        upstream.close()
        return answer

    def refuse(self, fault: str) -> None:
        status = REFUSALS[fault]
        code = CODES[self.server.service, status]
        body = json.dumps({"Type": "User", "message": "No."}).encode()
        if self.server.service == "s3":
            body = f"<Error><Code>{code}</Code></Error>".encode()
        self.send(Answer(status, [("X-Amzn-ErrorType", code)], body))

    def reset(self) -> None:
        # Closing with a linger of nothing sends RST.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass
