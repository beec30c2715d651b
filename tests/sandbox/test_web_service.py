import os
from pathlib import Path

import pytest

from renders.sandbox.aws import Sandbox
from renders.sandbox.errors import SandboxError
from renders.sandbox.toolchain import Toolchain
from renders.sandbox.web_service import WebService, read_env_file


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """One that is not started, with a database that no version of this project has made."""
    (tmp_path / "db.sqlite3").write_text("no database " * 1000)
    sandbox = Sandbox(Toolchain(tmp_path), data=tmp_path)
    sandbox.s3_url = sandbox.lambda_url = "http://127.0.0.1:1"
    return sandbox


class TestWebService:
    def test_a_database_that_cannot_be_migrated_is_told_with_what_to_do(self, sandbox: Sandbox) -> None:
        with pytest.raises(SandboxError, match=r"manage.py migrate failed: (.|\n)*not a database(.|\n)*needs --fresh"):
            WebService(sandbox, port=1).start()

    def test_the_password_of_the_first_start_stays_and_is_nobody_elses(self, sandbox: Sandbox) -> None:
        first = WebService(sandbox, port=1)
        with pytest.raises(SandboxError):
            first.start()
        assert WebService(sandbox, port=2).password == first.password
        assert first.env_file.stat().st_mode & 0o777 == 0o600

    def test_rates_of_the_callers_environment_are_the_services_and_nothing_else_of_the_api(
        self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in [name for name in os.environ if name.startswith("API_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("API_RATE_CREATE", "5/minute")
        monkeypatch.setenv("API_ALLOW_ANONYMOUS", "false")
        service = WebService(sandbox, port=1)
        with pytest.raises(SandboxError):
            service.start()
        written = {name: value for name, value in read_env_file(service.env_file).items() if name.startswith("API_")}
        assert written == {"API_RATE_CREATE": "5/minute", "API_ALLOW_ANONYMOUS": "true"}
