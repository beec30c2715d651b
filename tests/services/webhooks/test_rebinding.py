"""Names that mean our own address a moment later, asked of a real name server by the system's resolver."""

import json
import os
import shutil
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings

from tests.services.webhooks.rebinding import OWN, PUBLIC

IN_A_NETWORK_OF_ITS_OWN = ("unshare", "--map-root-user", "--mount", "--net")
SET_UP = """
ip link set lo up && ip address add "$1/32" dev lo && echo "nameserver $2" > "$3/resolv.conf" &&
mount --bind "$3/resolv.conf" /etc/resolv.conf && exec "$4" -m tests.services.webhooks.rebinding "$3"
"""


def is_possible() -> bool:
    if not (shutil.which("unshare") and shutil.which("ip")):
        return False
    return subprocess.run([*IN_A_NETWORK_OF_ITS_OWN, "true"], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of each name."""
    if not is_possible():
        pytest.skip("This system gives no process a network of its own.")
    folder = str(tmp_path_factory.mktemp("rebinding"))
    variables = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "renderhub.settings",
        "RENDERHUB_ENV_FILE": os.devnull,
        "DJANGO_SECRET_KEY": settings.SECRET_KEY,
    }
    command = [*IN_A_NETWORK_OF_ITS_OWN, "sh", "-c", SET_UP, "sh", PUBLIC, OWN, folder, sys.executable]
    done = subprocess.run(
        command, cwd=settings.BASE_DIR, env=variables, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return {row.pop("name"): row for row in map(json.loads, done.stdout.splitlines())}


@pytest.mark.system
class TestRebinding:
    def test_the_request_goes_to_the_address_that_was_checked_and_no_redirect_is_followed(
        self, told: dict[str, Any]
    ) -> None:
        assert told["rebinds.example.com"] == {
            "connected": [PUBLIC],
            "status": 307,
            "error": "The endpoint answered 307.",
        }

    @pytest.mark.parametrize("name", ["rebound", "mixed", "mapped", "loopback6"])
    def test_one_address_of_our_own_is_enough_to_send_nothing(self, told: dict[str, Any], name: str) -> None:
        error = f"The host {name}.example.com is not on the public internet, so nothing was sent."
        assert told[f"{name}.example.com"] == {"connected": [], "status": None, "error": error}

    def test_who_asks_for_the_name_again_would_reach_us(self, told: dict[str, Any]) -> None:
        assert told["again.example.com"] == {"connected": [OWN], "checked": [PUBLIC]}
