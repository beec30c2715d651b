"""Post to names that mean one address and then another, with the system's own resolver asking a server of ours.

Run in a network of its own (test_rebinding.py): it binds ports 53 and 443, and the address of somebody else. It prints
a line of JSON for each name: the addresses that took a connection, and the outcome.
"""

import functools
import json
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from urllib3.connection import HTTPSConnection

from renders.services.webhooks import request
from renders.services.webhooks.addresses import resolve
from tests.benchmarks import tls

PUBLIC, OWN = "93.184.216.34", "127.0.0.1"
A, AAAA = 1, 28
ANSWERS: dict[str, tuple[list[list[str]], list[str]]] = {
    "rebinds.example.com": ([[PUBLIC], [OWN]], []),
    "rebound.example.com": ([[OWN], [PUBLIC]], []),
    "mixed.example.com": ([[PUBLIC, OWN]], []),
    "mapped.example.com": ([[PUBLIC]], [f"::ffff:{OWN}"]),
    "loopback6.example.com": ([[PUBLIC]], ["::1"]),
    "again.example.com": ([[PUBLIC], [OWN]], []),
}
"""The IPv4 addresses of each answer in turn, of which the last is repeated, and the IPv6 addresses."""

connected: list[str] = []


def answer_names(server: socket.socket) -> None:
    while True:
        query, client = server.recvfrom(512)
        server.sendto(answer(query), client)


def answer(query: bytes) -> bytes:
    """Return a name server's answer to a query with one question. https://www.rfc-editor.org/rfc/rfc1035#section-4"""
    labels, at = [], 12
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode())
        at += 1 + length
    kind = struct.unpack(">H", query[at + 1 : at + 3])[0]
    found = [packed(address) for address in addresses(".".join(labels), kind)]
    records = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 0, len(each)) + each for each in found)
    return query[:2] + b"\x81\x80" + struct.pack(">HHHH", 1, len(found), 0, 0) + query[12 : at + 5] + records


def packed(address: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def addresses(name: str, kind: int) -> list[str]:
    in_turn, of_ipv6 = ANSWERS.get(name, ([[]], []))
    if kind != A:
        return of_ipv6 if kind == AAAA else []
    return in_turn.pop(0) if len(in_turn) > 1 else in_turn[0]


def take_connections(server: socket.socket, address: str, context: ssl.SSLContext) -> None:
    """Note each connection, and lead whoever speaks TLS to our own address."""
    while True:
        connection, _ = server.accept()
        connected.append(address)
        with connection, context.wrap_socket(connection, server_side=True) as stream:
            stream.recv(65536)
            stream.sendall(f"HTTP/1.1 307 Go on\r\nLocation: https://{OWN}/\r\nContent-Length: 0\r\n\r\n".encode())


def in_thread(function: Callable[..., None], *arguments: object) -> None:
    threading.Thread(target=function, args=arguments, daemon=True).start()


def main(folder: Path) -> None:
    tls.make(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / tls.SERVER, folder / tls.KEY)
    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind((OWN, 53))
    in_thread(answer_names, names)
    for address in (PUBLIC, OWN):
        in_thread(take_connections, socket.create_server((address, 443)), address, context)
    # The certificate is for none of these names; test_request.py tries that names are verified.
    trusting = ssl.create_default_context(cafile=str(folder / tls.AUTHORITY))
    trusting.check_hostname = False
    request._tls_context = lambda: trusting  # type: ignore[assignment]
    request.HTTPSConnection = functools.partial(HTTPSConnection, assert_hostname=False)  # type: ignore[attr-defined, assignment]
    for name in list(ANSWERS)[:-1]:
        outcome = request.post(f"https://{name}/", headers={}, body=b"{}")
        tell(name, status=outcome.status, error=outcome.error)
    # What a client does that checks a name and then connects to it: the trial would notice.
    found = resolve("again.example.com", 443)
    socket.create_connection(("again.example.com", 443)).close()
    while not connected:
        threading.Event().wait(0.01)
    tell("again.example.com", checked=found)


def tell(name: str, **more: object) -> None:
    sys.stdout.write(json.dumps({"name": name, "connected": connected, **more}) + "\n")
    connected.clear()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
