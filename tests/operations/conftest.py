import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings

from tests.conftest import CREDENTIALS
from tests.operations.processes import Workers, database_url


@pytest.fixture
def start_worker(settings: Any) -> Iterator[Workers]:
    """Start ``render_worker`` as a process on the test's database; end those that are left."""
    started = []

    def start(**variables: str) -> "subprocess.Popen[str]":
        environment = {
            "PATH": "",
            "RENDERHUB_ENV_FILE": os.devnull,
            "DATABASE_URL": database_url(),
            **{name: str(getattr(settings, name)) for name in CREDENTIALS if name != "ALLOWED_HOSTS"},
            **variables,
        }
        process = subprocess.Popen(
            [sys.executable, "manage.py", "render_worker", "--interval", "0.2"],
            cwd=django_settings.BASE_DIR,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
