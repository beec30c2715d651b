"""Connections to Lambda: kept alive while a start waits for its answer, and not reused when idle for long.

A NAT or a firewall drops idle connections without a word. A start on such a connection would get no
answer, and its outcome would be unknown.
"""

import socket
import time
from typing import Any

from botocore.awsrequest import AWSHTTPConnectionPool, AWSHTTPSConnectionPool

MAX_IDLE_SECONDS = 4
"""A connection that was idle for longer is opened anew."""

KEEPALIVE_SECONDS = 15
"""Between two TCP keep-alive probes; NATs drop connections after some minutes of silence."""


class _FreshConnections:
    """Part of a connection pool of urllib3: a connection that was idle too long is opened anew."""

    def _get_conn(self, timeout: float | None = None) -> Any:
        conn = super()._get_conn(timeout)  # type: ignore[misc]
        if time.monotonic() - getattr(conn, "idle_since", 0) > MAX_IDLE_SECONDS:
            conn.close()
        return conn

    def _put_conn(self, conn: Any) -> None:
        if conn is not None:
            conn.idle_since = time.monotonic()
        super()._put_conn(conn)  # type: ignore[misc]


class _FreshHTTPPool(_FreshConnections, AWSHTTPConnectionPool):
    pass


class _FreshHTTPSPool(_FreshConnections, AWSHTTPSConnectionPool):
    pass


def use_fresh_connections(client: Any) -> None:
    """Give a new boto3 client these pools, and TCP keep-alive. botocore has no public way to do so."""
    http_session = client._endpoint.http_session
    http_session._pool_classes_by_scheme = {"http": _FreshHTTPPool, "https": _FreshHTTPSPool}
    http_session._manager.pool_classes_by_scheme = http_session._pool_classes_by_scheme
    http_session._socket_options = [
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        # macOS calls the first of these TCP_KEEPALIVE.
        (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPIDLE", 0x10), KEEPALIVE_SECONDS),
        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_SECONDS),
    ]
    http_session._manager.connection_pool_kw["socket_options"] = http_session._socket_options
