import pytest

from renders.sandbox.errors import SandboxError
from renders.sandbox.network import free_port, listen, require_free_port


def test_a_taken_port_is_replaced_by_a_free_one() -> None:
    with listen(0) as taken:
        port = taken.getsockname()[1]
        assert free_port(port) != port
    assert free_port(port) == port


def test_a_port_that_must_be_free_is_refused_with_what_to_do() -> None:
    with listen(0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            SandboxError,
            match=f"Port {port} cannot be used .*: stop what listens there, or name another port with --port",
        ):
            require_free_port(port)
    require_free_port(port)
