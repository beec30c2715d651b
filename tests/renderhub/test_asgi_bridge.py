"""The bridge with views of the test's own: what reaches a view, and what becomes of its answer."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path, re_path

from renderhub.asgi_bridge import ThreadedApplication

closed: list[str] = []


def tell(request: HttpRequest) -> HttpResponse:
    return HttpResponse(
        "\n".join([request.path, request.GET.get("q", ""), request.headers.get("X-Name", "-"), request.body.decode()])
    )


def read(request: HttpRequest) -> HttpResponse:
    try:
        return HttpResponse(request.read())
    except RequestDataTooBig:
        return HttpResponse("too big")


def thread(_: HttpRequest) -> HttpResponse:
    return HttpResponse(str(threading.get_ident()))


async def endless() -> AsyncIterator[bytes]:
    try:
        yield b"first"
        await asyncio.Event().wait()
    finally:
        closed.append("endless")


def stream(_: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(endless())


def rows(_: HttpRequest) -> StreamingHttpResponse:
    def parts() -> Iterator[bytes]:
        try:
            yield b"one "
            yield b"two"
        finally:
            closed.append("rows")

    return StreamingHttpResponse(parts())


urlpatterns = [
    path("read", read),
    path("thread", thread),
    path("stream", stream),
    path("rows", rows),
    re_path("", tell),
]

Bridge = ThreadedApplication


@pytest.fixture
def bridge(settings: Any) -> Bridge:
    settings.ROOT_URLCONF = __name__
    settings.ALLOWED_HOSTS = ["localhost"]
    closed.clear()
    return ThreadedApplication(WSGIHandler(), threads=1)


class Client:
    """One request: what is sent to the application, and what it sends."""

    def __init__(
        self, path: str, *, body: bytes = b"", query: bytes = b"", headers: tuple[tuple[bytes, bytes], ...] = ()
    ):
        self.scope = {
            "type": "http",
            "method": "GET",
            "http_version": "1.1",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query,
            "headers": [(b"host", b"localhost"), *headers],
        }
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        if body:
            self.incoming.put_nowait({"type": "http.request", "body": body[:3], "more_body": True})
            self.incoming.put_nowait({"type": "http.request", "body": body[3:]})
        self.sent: list[dict[str, Any]] = []
        self.has_sent = asyncio.Event()

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)
        if message.get("body"):
            self.has_sent.set()

    def disconnect(self) -> None:
        self.incoming.put_nowait({"type": "http.disconnect"})

    def run(self, bridge: Bridge) -> Awaitable[None]:
        return asyncio.wait_for(bridge(self.scope, self.incoming.get, self.send), 10)

    @property
    def status(self) -> int:
        return self.sent[0]["status"]

    @property
    def body(self) -> str:
        return b"".join(message["body"] for message in self.sent[1:]).decode()


def ask(bridge: Bridge, path: str, **request: Any) -> Client:
    async def asking() -> Client:
        client = Client(path, **request)
        await client.run(bridge)
        return client

    return asyncio.run(asking())


def length(number: int) -> tuple[bytes, bytes]:
    return b"content-length", str(number).encode()


class TestRequest:
    def test_path_query_headers_and_body_reach_the_view(self, bridge: Bridge) -> None:
        headers = ((b"x-name", b"ada"), length(8))
        client = ask(bridge, "/caf%C3%A9", query=b"q=%C3%BC", headers=headers, body=b"the body")
        assert (client.status, client.body) == (200, "/café\nü\nada\nthe body")

    def test_a_header_with_an_underscore_does_not_pass_for_another(self, bridge: Bridge) -> None:
        assert ask(bridge, "/", headers=((b"x_name", b"ada"),)).body.splitlines()[2] == "-"

    def test_a_header_that_is_repeated_is_one(self, bridge: Bridge) -> None:
        assert ask(bridge, "/", headers=((b"x-name", b"a"), (b"x-name", b"b"))).body.splitlines()[2] == "a,b"

    def test_a_body_that_announces_too_much_is_not_read(self, bridge: Bridge) -> None:
        # Nothing is sent: to read would be to wait for ever.
        assert ask(bridge, "/read", headers=(length(3_000_000),)).body == "too big"

    def test_a_body_without_a_length_is_not_read(self, bridge: Bridge) -> None:
        client = ask(bridge, "/read", headers=((b"transfer-encoding", b"chunked"),), body=b"the body")
        assert (client.status, client.body) == (200, "")

    def test_a_request_that_is_cut_off_reaches_no_view(self, bridge: Bridge) -> None:
        async def asking() -> Client:
            client = Client("/", headers=(length(8),))
            client.disconnect()
            await client.run(bridge)
            return client

        assert asyncio.run(asking()).sent == []

    def test_requests_share_the_threads(self, bridge: Bridge) -> None:
        assert ask(bridge, "/thread").body == ask(bridge, "/thread").body


class TestStreams:
    def open_stream(self, bridge: Bridge, then: Callable[[Client], Awaitable[None]]) -> Client:
        async def streaming() -> Client:
            client = Client("/stream")
            running = asyncio.ensure_future(client.run(bridge))
            await client.has_sent.wait()
            assert closed == []
            await then(client)
            await running
            return client

        return asyncio.run(streaming())

    def test_one_ends_when_its_client_has_gone(self, bridge: Bridge) -> None:
        async def leave(client: Client) -> None:
            client.disconnect()

        self.open_stream(bridge, leave)
        assert closed == ["endless"]

    def test_an_open_one_keeps_no_thread(self, bridge: Bridge) -> None:
        async def ask_another(client: Client) -> None:
            other = Client("/thread")
            await other.run(bridge)
            assert other.status == 200
            client.disconnect()

        self.open_stream(bridge, ask_another)

    def test_one_ends_properly_when_the_server_stops(self, bridge: Bridge) -> None:
        async def stop(_: Client) -> None:
            bridge.end_streams()

        client = self.open_stream(bridge, stop)
        assert client.body == "first"
        assert not client.sent[-1]["more_body"]
        assert closed == ["endless"]

    def test_a_synchronous_one_is_sent_part_by_part(self, bridge: Bridge) -> None:
        client = ask(bridge, "/rows")
        assert [message["body"] for message in client.sent[1:]] == [b"one ", b"two", b""]
        assert closed == ["rows"]
