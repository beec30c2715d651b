"""Serve Django over ASGI: requests in threads that last, streams in the event loop.

Django's own ASGI handler runs each request in a new thread, which opens a new connection to the
database, and an open stream keeps its thread. Here all views are synchronous and run as under WSGI,
in a pool of threads whose connections last. A view that returns a StreamingHttpResponse with an
asynchronous iterator gives its thread back: the event loop sends what the iterator yields. A view that
returns a PostponedResponse is asked again when what it waits for has happened.
"""

import asyncio
import io
import signal
import threading
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase

from renderhub.wsgi_environ import UnreadBody, build_environ
from renders.api.streams.postponed import LOOP, POSTPONED, PostponedResponse

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

SEND_SECONDS = 60
"""How long a thread waits for a client that does not read its answer."""

END = {"type": "http.response.body", "body": b"", "more_body": False}


class ClientGone(Exception):
    """The client has closed the connection."""


class ThreadedApplication:
    """The ASGI application around Django's WSGI handler."""

    def __init__(self, handler: WSGIHandler, *, threads: int) -> None:
        self._handler = handler
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self._stopping = asyncio.Event()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                await self._answer(scope, receive, send)
            except ClientGone:
                return
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await send({"type": "websocket.close"})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._end_streams_at_signals()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    def _end_streams_at_signals(self) -> None:
        """End streams as soon as the server is told to stop: it waits for open requests, and they never end."""
        if threading.current_thread() is not threading.main_thread():
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            of_server = signal.getsignal(number)
            if callable(of_server):
                signal.signal(number, partial(self._stop, loop, of_server))

    def _stop(
        self,
        loop: asyncio.AbstractEventLoop,
        of_server: Callable[[int, FrameType | None], Any],
        number: int,
        frame: FrameType | None,
    ) -> None:
        loop.call_soon_threadsafe(self.end_streams)
        of_server(number, frame)

    def end_streams(self) -> None:
        """End all open streams, and those that are still to come."""
        self._stopping.set()

    async def _answer(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        body = await _read_body(scope, receive)
        head, answer = await self._run(scope, body, send)
        if isinstance(answer, PostponedResponse):
            await self._wait(answer, receive)
            body.seek(0)
            head, answer = await self._run(scope, body, send, **{POSTPONED: answer})
        if isinstance(answer, bytes):
            await send(head)
            await send({**END, "body": answer})
        elif isinstance(answer, StreamingHttpResponse):
            await self._send_stream(head, answer, receive, send)

    async def _run(
        self, scope: dict[str, Any], body: io.IOBase, send: Send, **more: Any
    ) -> tuple[Message, "bytes | HttpResponseBase | None"]:
        loop = asyncio.get_running_loop()
        environ = {**build_environ(scope, body), LOOP: loop, **more}
        return await loop.run_in_executor(self._pool, self._respond, environ, partial(_send_from_thread, loop, send))

    def _respond(
        self, environ: dict[str, Any], send: Callable[[Message], None]
    ) -> tuple[Message, "bytes | HttpResponseBase | None"]:
        """Return the head of the response, and its body or what the event loop does; None if all has been sent.

        Runs in a thread of the pool, from the signal that a request has started to the one that it has finished.
        """
        head: Message = {"type": "http.response.start"}

        def start_response(status: str, headers: list[tuple[str, str]], _: Any = None, /) -> Callable[[bytes], object]:
            encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
            head.update(status=int(status[:3]), headers=encoded)
            return _never_called

        response: HttpResponseBase = self._handler(environ, start_response)
        try:
            if isinstance(response, PostponedResponse) or getattr(response, "is_async", False):
                return head, response
            if not isinstance(response, StreamingHttpResponse):
                return head, b"".join(response)
            _send_parts(head, response, send)
            return head, None
        finally:
            response.close()

    async def _wait(self, postponed: PostponedResponse, receive: Receive) -> None:
        """Wait for what postpones a response; raise ClientGone if the client does not."""
        try:
            await self._first_of(postponed.until(), _disconnected(receive))
        finally:
            postponed.end()

    async def _send_stream(self, head: Message, response: StreamingHttpResponse, receive: Receive, send: Send) -> None:
        """Send the stream until it ends, the client has gone, or the server stops; it is closed then."""
        # Not `streaming_content`, around which closing does not reach the stream.
        stream = response._iterator  # type: ignore[attr-defined]
        try:
            await send(head)
            await self._first_of(_write(stream, send), _disconnected(receive))
        finally:
            await stream.aclose()
        await send(END)

    async def _first_of(self, *ends: Awaitable[None]) -> None:
        """Return when one of these has ended or the server stops, and cancel the others. Raise what it raises."""
        tasks: list[asyncio.Future[Any]] = [asyncio.ensure_future(end) for end in (*ends, self._stopping.wait())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()


async def _read_body(scope: dict[str, Any], receive: Receive) -> io.IOBase:
    """Return the body of the announced length, which is none for one in chunks; raise ClientGone if it is cut off.

    It is read before a thread is taken, so that a slow client keeps none.
    """
    length = next((int(value) for name, value in scope["headers"] if name == b"content-length"), 0)
    if length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        return UnreadBody()
    body, is_complete = bytearray(), not length
    while not is_complete:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        body += message.get("body", b"")
        is_complete = not message.get("more_body", False)
    return io.BytesIO(body)


def _send_from_thread(loop: asyncio.AbstractEventLoop, send: Send, message: Message) -> None:
    """Send a message from a thread."""

    async def sending() -> None:
        await send(message)

    asyncio.run_coroutine_threadsafe(sending(), loop).result(SEND_SECONDS)


def _send_parts(head: Message, parts: Iterable[bytes], send: Callable[[Message], None]) -> None:
    send(head)
    for part in parts:
        send({**END, "body": part, "more_body": True})
    send(END)


def _never_called(_: bytes) -> None:
    """WSGI's `write()`: Django returns its parts instead."""
    raise NotImplementedError


async def _write(stream: AsyncIterable[bytes], send: Send) -> None:
    async for part in stream:
        await send({**END, "body": part, "more_body": True})


async def _disconnected(receive: Receive) -> None:
    """Raise ClientGone when the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
    raise ClientGone
