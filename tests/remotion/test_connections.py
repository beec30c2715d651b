"""Connections to Lambda, on a real server that counts them."""

import socket
from typing import Any

import pytest

from renders.remotion import connections
from renders.remotion.aws import lambda_client
from renders.remotion.target import LambdaTarget
from tests.servers import ScriptedServer


@pytest.fixture
def client(aws: ScriptedServer, settings: Any) -> Any:
    """A new client, whose pool is empty."""
    lambda_client.cache_clear()
    return lambda_client(LambdaTarget.from_settings(), time_limit=60)


def invoke(client: Any) -> None:
    client.invoke(FunctionName="f", Payload="{}")["Payload"].read()


def test_two_starts_soon_after_each_other_share_one(client: Any, aws: ScriptedServer) -> None:
    before = aws.connections
    invoke(client)
    invoke(client)
    assert aws.connections == before + 1


def test_one_that_was_idle_is_not_used_again(client: Any, aws: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    before = aws.connections
    invoke(client)
    monkeypatch.setattr(connections, "MAX_IDLE_SECONDS", 0)
    invoke(client)
    assert aws.connections == before + 2


def test_a_connection_that_waits_is_kept_alive(client: Any, aws: ScriptedServer) -> None:
    invoke(client)
    pool = client._endpoint.http_session._manager.connection_from_url(aws.url)
    conn = pool.pool.get_nowait()
    sock = conn.sock
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == connections.KEEPALIVE_SECONDS
    conn.close()
