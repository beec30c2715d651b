"""Ports and proxies of the loopback interface."""

import os
import socket

from renders.sandbox.errors import SandboxError


def bypass_proxies_for_loopback() -> None:
    """Exclude 127.0.0.1 from the proxy that the environment may name."""
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1"]))


def free_port(wanted: int) -> int:
    """Return the port, or another free one if it is taken."""
    with listen(wanted) as listener:
        return int(listener.getsockname()[1])


def require_free_port(port: int) -> None:
    """Raise SandboxError if the port is taken, or if this user may not listen on it."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as err:
        raise SandboxError(
            f"Port {port} cannot be used ({os.strerror(err.errno or 0)}):"
            " stop what listens there, or name another port with --port."
        ) from err


def listen(wanted: int) -> socket.socket:
    """Listen on the port, or on another free one if it is taken."""
    try:
        return socket.create_server(("127.0.0.1", wanted))
    except OSError:
        return socket.create_server(("127.0.0.1", 0))
