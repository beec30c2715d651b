"""progress.json holds the input props: up to some hundred kilobytes in each file, which no row needs again."""

import os
import subprocess
import sys

import pytest
from django.conf import settings as django_settings
from django.db import connection

from renders.models import Render
from tests.conftest import CREDENTIALS
from tests.factories import make_render
from tests.operations.processes import database_url
from tests.s3 import RENDERS, recorded
from tests.servers import ScriptedServer, reply

COUNT = 300
REFRESH = """
import django
django.setup()
from renders.services.refresh.circuit_breaker import CircuitBreaker
from renders.services.refresh.engine import refresh_due
assert sum(result.error is None for result in refresh_due(CircuitBreaker())) == %d
# Not ru_maxrss, which a new process inherits from its parent.
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(sys.platform != "linux", reason="The peak is read from /proc.")
def test_a_batch_of_them_takes_under_200_mb_and_leaves_nothing_of_the_props(
    aws: ScriptedServer, settings: object
) -> None:
    file = recorded(step=10)
    file["renderMetadata"]["inputProps"] = {"type": "payload", "payload": "x" * 190_000}
    aws.answers[RENDERS] = reply(file)
    for _ in range(COUNT):
        make_render()
    environment = {
        "PATH": "",
        "DJANGO_SETTINGS_MODULE": "renderhub.settings",
        "RENDERHUB_ENV_FILE": os.devnull,
        "DATABASE_URL": database_url(),
        **{name: str(getattr(settings, name)) for name in CREDENTIALS if name != "ALLOWED_HOSTS"},
    }
    process = subprocess.run(
        [sys.executable, "-c", REFRESH % COUNT],
        cwd=django_settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert float(process.stdout) / 1024 < 200
    assert Render.objects.filter(frames_rendered=92).count() == COUNT
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM renders_render")
        assert "xxxx" not in str(cursor.fetchall())
