"""The rates of the API on the sandbox, with its real web process and cache."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message

import pytest

from renders.sandbox.aws import Sandbox
from renders.sandbox.network import free_port
from renders.sandbox.toolchain import Toolchain
from renders.sandbox.web_service import WebService
from tests.factories import BODY

pytestmark = pytest.mark.system


@pytest.fixture
def service(
    toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[WebService]:
    monkeypatch.setenv("API_RATE_CREATE", "2/day")
    with Sandbox(toolchain, data=tmp_path_factory.mktemp("data")) as sandbox:
        service = WebService(sandbox, port=free_port(0))
        service.start()
        yield service


def create(service: WebService) -> tuple[int, Message, str]:
    """Return the status, the headers and the body of the answer."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{service.url}/api/renders/", json.dumps(BODY).encode(), headers)  # noqa: S310
    try:
        answer = urllib.request.urlopen(request, timeout=60)  # noqa: S310
    except urllib.error.HTTPError as err:
        answer = err
    with answer:
        return answer.status, answer.headers, answer.read().decode()


def test_what_is_over_a_rate_of_the_sandbox_is_refused_and_reading_goes_on(service: WebService) -> None:
    assert [create(service)[0] for _ in range(2)] == [201, 201]
    status, headers, body = create(service)
    assert (status, json.loads(body)["code"]) == (429, "rate_limited")
    assert 0 < int(headers["Retry-After"]) <= 86_400
    assert headers["RateLimit-Policy"] == '"create";q=2;w=86400'
    with urllib.request.urlopen(f"{service.url}/api/renders/") as rows:  # noqa: S310
        assert len(json.load(rows)["results"]) == 2
