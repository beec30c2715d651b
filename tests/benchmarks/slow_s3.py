"""S3 that answers each request after 30 ms, in a process of its own.

``serve()`` prints its URL and serves until its input ends. ``/requests`` answers how many requests there were
since the last time, and for how many different files.
"""

import asyncio
import json
import sys
import threading
from collections import Counter

from tests.benchmarks import s3

DELAY_SECONDS = 0.03


class Connection(asyncio.Protocol):
    """One of a client; HTTP as far as a GET without a body needs it."""

    asked: Counter[bytes] = Counter()
    bodies: list[bytes] = s3.recorded(0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        while b"\r\n\r\n" in self.received:
            head, _, self.received = self.received.partition(b"\r\n\r\n")
            path = head.split(b" ", 2)[1]
            if path == b"/requests":
                self.answer(json.dumps([self.asked.total(), len(self.asked)]).encode())
                self.asked.clear()
            else:
                self.asked[path] += 1
                body = self.bodies[hash(path) % len(self.bodies)]
                asyncio.get_running_loop().call_later(DELAY_SECONDS, self.answer, body)

    def answer(self, body: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: %d\r\n\r\n"
        self.transport.write(head % len(body) + body)


def serve() -> None:
    asyncio.run(_serve())


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, backlog=256)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    threading.Thread(target=lambda: (sys.stdin.read(), loop.call_soon_threadsafe(ended.set)), daemon=True).start()
    await ended.wait()
