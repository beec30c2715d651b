"""Translate an ASGI request into the environ of a WSGI request.

https://asgi.readthedocs.io/en/latest/specs/www.html and https://peps.python.org/pep-3333/
"""

import io
import sys
from typing import Any
from urllib.parse import unquote_to_bytes

from django.core.exceptions import RequestDataTooBig

OWN_NAMES = {b"content-length": "CONTENT_LENGTH", b"content-type": "CONTENT_TYPE"}


class UnreadBody(io.RawIOBase):
    """The body of a request that announces more than is read."""

    def readable(self) -> bool:
        return True

    def readinto(self, _: Any) -> int:
        raise RequestDataTooBig("The request's body is larger than this service reads: send less.")


def build_environ(scope: dict[str, Any], body: io.IOBase) -> dict[str, Any]:
    """Return the environ; path, query and headers are bytes in Latin-1, as WSGI has them."""
    # Without a server or a client, as on a Unix socket, there is no address to tell.
    server_name, server_port = scope.get("server") or ("localhost", None)
    client, client_port = scope.get("client") or ("", None)
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": scope.get("root_path", "").encode().decode("latin-1"),
        "PATH_INFO": _path_info(scope),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server_name,
        "SERVER_PORT": str(server_port or 80),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client,
        "REMOTE_PORT": str(client_port or ""),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in _headers(scope):
        environ[name] = f"{environ[name]},{value}" if name in environ else value
    return environ


def _path_info(scope: dict[str, Any]) -> str:
    # `path` has lost bytes that are not UTF-8.
    path = unquote_to_bytes(scope["raw_path"]) if scope.get("raw_path") else scope["path"].encode()
    return path.removeprefix(scope.get("root_path", "").encode()).decode("latin-1")


def _headers(scope: dict[str, Any]) -> list[tuple[str, str]]:
    # A name with an underscore would pass for the one with a hyphen, which a proxy may have checked.
    return [
        (OWN_NAMES.get(name) or f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}", value.decode("latin-1"))
        for name, value in scope["headers"]
        if b"_" not in name
    ]
