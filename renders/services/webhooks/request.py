"""One request to an endpoint: to a checked address, within a time limit, without redirects."""

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import SplitResult

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import BaseHTTPResponse

from renders.services.webhooks.addresses import AddressRefused, NotResolved, resolve
from renders.services.webhooks.urls import split, url_problem

TIME_LIMIT = 15.0
"""Seconds from the first look for the host's address to the last byte of the answer."""

MAX_ANSWER_BYTES = 64 * 1024
"""What is read of an answer; the connection is closed then."""

MAX_KEPT_CHARACTERS = 2000
"""What is stored of it."""

DEFAULT_PORTS = {"https": 443, "http": 80}
TOO_SLOW = f"There was no answer within {TIME_LIMIT:g} seconds."


@dataclass(frozen=True)
class Outcome:
    """What came of a request."""

    duration: float
    """Seconds."""
    status: int | None = None
    """None: there was no answer."""
    answer: str = ""
    """The beginning of the answer's body."""
    error: str = ""
    """In one sentence, why it is no success."""
    retry_after: str = ""
    """The header of the answer."""

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def post(url: str, *, headers: Mapping[str, str], body: bytes, time_limit: float = TIME_LIMIT) -> Outcome:
    """Send the body, and return what came of it. Never raises for what the endpoint or the network does."""
    started = time.monotonic()
    deadline = started + time_limit
    parts = split(url)
    error = url_problem(url)
    if parts is not None:
        try:
            return _posted(parts, headers, body, started=started, deadline=deadline)
        except (NotResolved, AddressRefused) as err:
            error = str(err)
        except (OSError, http.client.HTTPException, urllib3.exceptions.HTTPError, ValueError) as err:
            error = TOO_SLOW if time.monotonic() >= deadline or _is_timeout(err) else _reason(err)
    return Outcome(duration=time.monotonic() - started, error=error)


def _posted(parts: SplitResult, headers: Mapping[str, str], body: bytes, *, started: float, deadline: float) -> Outcome:
    with _connected(parts, deadline) as connection, _closed_at(deadline, connection):
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        host = parts.netloc.rpartition("@")[2]
        sent = {"Host": host, "Accept-Encoding": "identity", "Connection": "close", **headers}
        connection.request("POST", target, body=body, headers=sent, preload_content=False, decode_content=False)
        response = connection.getresponse()
        if time.monotonic() >= deadline:  # its headers were cut off
            raise TimeoutError
        answer = _beginning(response)
    return Outcome(
        duration=time.monotonic() - started,
        status=response.status,
        answer=answer,
        error="" if 200 <= response.status < 300 else f"The endpoint answered {response.status}.",
        retry_after=response.headers.get("Retry-After", ""),
    )


@contextlib.contextmanager
def _connected(parts: SplitResult, deadline: float) -> Iterator[HTTPConnection]:
    """Connect to the first address of the host that takes the connection. The certificate must be the host's."""
    host, port = parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme]
    failure: Exception = NotResolved(f"The host {host} has no address.")
    for address in resolve(host, port):
        if (left := deadline - time.monotonic()) <= 0:
            raise TimeoutError
        connection = _connection(address, port, parts, left)
        try:
            connection.connect()
        except (OSError, urllib3.exceptions.HTTPError) as err:
            connection.close()
            failure = err
            continue
        try:
            yield connection
        finally:
            connection.close()
        return
    raise failure


def _connection(address: str, port: int, parts: SplitResult, timeout: float) -> HTTPConnection:
    """Return a connection to the address that asks nobody for it again."""
    if parts.scheme == "http":
        return HTTPConnection(address, port, timeout=timeout)
    name = (parts.hostname or "").rstrip(".")
    return HTTPSConnection(address, port, timeout=timeout, ssl_context=_tls_context(), server_hostname=name)


@cache
def _tls_context() -> ssl.SSLContext:
    """Certificates are verified, as everywhere; ``SSL_CERT_FILE`` names other authorities."""
    return ssl.create_default_context()


@contextlib.contextmanager
def _closed_at(deadline: float, connection: HTTPConnection) -> Iterator[None]:
    """Shut the connection down at the deadline: a socket's own time limit is one for each read, not for all."""
    sock = connection.sock

    def shut_down() -> None:
        with contextlib.suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)  # past TLS, which would wait for its peer

    timer = threading.Timer(max(0.0, deadline - time.monotonic()), shut_down)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _beginning(response: BaseHTTPResponse) -> str:
    """Return the beginning of the body, as far as it comes: the status has said what counts."""
    read = bytearray()
    with contextlib.suppress(OSError, http.client.HTTPException, urllib3.exceptions.HTTPError, ValueError):
        while len(read) < MAX_ANSWER_BYTES and (part := response.read(min(8192, MAX_ANSWER_BYTES - len(read)))):
            read += part
    text = bytes(read[: 4 * MAX_KEPT_CHARACTERS]).decode(errors="replace").replace("\0", "\ufffd")
    return text[:MAX_KEPT_CHARACTERS]


def _is_timeout(err: Exception) -> bool:
    is_refused = isinstance(err, urllib3.exceptions.NewConnectionError)  # which urllib3 counts as a timeout too
    return isinstance(err, TimeoutError | urllib3.exceptions.TimeoutError) and not is_refused


def _reason(err: Exception) -> str:
    """Return in one sentence why there was no answer; no address is in it."""
    cause = err.__cause__ or err
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"The certificate of the host is not valid: {cause.verify_message}."
    if isinstance(cause, ssl.SSLError):
        return "No secure connection could be made."
    if isinstance(cause, ConnectionRefusedError):
        return "The host refused the connection."
    if isinstance(cause, OSError) and cause.strerror:
        return f"The connection failed: {cause.strerror}."
    return "The connection was closed without an answer that can be read."
