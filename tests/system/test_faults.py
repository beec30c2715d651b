"""A short run of the fault matrix; ``python -m tests.faults`` makes a long one."""

import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from django.conf import settings as django_settings
from django.db import connection

from renders.sandbox.toolchain import Toolchain

KINDS = 60
"""Faults times ways, with the webhook and without: each occurs once."""


@pytest.fixture
def empty_database(db: None) -> Iterator[dict[str, str]]:
    """Environment variables that name a database of its own."""
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    if connection.vendor != "postgresql":
        yield environment
        return
    server, name = os.environ["DATABASE_URL"].rpartition("/")[0], f"renderhub_faults_{os.getpid()}"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            yield {**environment, "DATABASE_URL": f"{server}/{name}"}
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.system
def test_nothing_is_doubled_lost_or_left_unconfirmed(toolchain: Toolchain, empty_database: dict[str, str]) -> None:
    seed = random.randrange(10**6)
    result = subprocess.run(
        [sys.executable, "-m", "tests.faults", "--seed", str(seed), "--faults", str(KINDS)],
        cwd=django_settings.BASE_DIR,
        env=empty_database,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:]
    total = re.search(r"^all +(\d+) +(\d+) +(\d+) +0 +0 +0$", result.stdout, re.MULTILINE)
    assert total, result.stdout
    assert int(total[1]) >= KINDS
    assert int(total[2]) == int(total[3]) >= KINDS / 3
    assert re.search(r"^renders of 150 frames: [1-9]", result.stdout, re.MULTILINE)
    assert re.search(r"^webhook deliveries processed: [1-9]", result.stdout, re.MULTILINE)
