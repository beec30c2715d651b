from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoDbBlocker

from renders.sandbox.network import bypass_proxies_for_loopback
from tests.api.streams.server import StreamServer, running_stream_server


@pytest.fixture(scope="module")
def running_server(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StreamServer]:
    bypass_proxies_for_loopback()
    with running_stream_server(tmp_path_factory.mktemp("server") / "web.log") as server:
        yield server


@pytest.fixture
def server(running_server: StreamServer, transactional_db: None, user: User) -> Iterator[StreamServer]:
    """The service as a process, asked by ``user``; streams that are left open end with the test."""
    running_server.sign_in(user)
    yield running_server
    running_server.close_streams()
