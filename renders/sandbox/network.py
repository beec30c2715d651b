"""Ports and proxies of the loopback interface."""

import os
import socket

from renders.sandbox.errors import SandboxError


def bypass_proxies_for_loopback() -> None:
    """Exclude 127.0.0.1 from the proxy that the environment may name."""
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1"]))


def free_port(wanted: int) -> int:
    """Return the port, or another free one if something listens there."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise SandboxError("This machine has no free port.")
