"""Workers as real processes on the test's database."""

import subprocess
import time
from collections.abc import Callable

from django.db import connection

Workers = Callable[..., "subprocess.Popen[str]"]


def database_url() -> str:
    its = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{its['NAME']}"
    return f"postgres://{its['USER']}:{its['PASSWORD']}@{its['HOST']}:{its['PORT']}/{its['NAME']}"


def wait_until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "That did not come."
        time.sleep(0.02)
