import json
import logging
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import OperationalError
from django.test import Client

from renders.operations import setup_errors
from renders.services.log_throttle import LogThrottle
from tests.operations.conftest import PASSWORD
from tests.processes import Server, running_server

STRANGER = {"Authorization": "Bearer of-nobody", "Cookie": "sessionid=of-nobody"}
API, PAGE = "/api/renders/", "/admin/"


@pytest.fixture(autouse=True)
def _log_that_has_said_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup_errors, "log_throttle", LogThrottle(logging.getLogger(setup_errors.__name__)))


@pytest.fixture(scope="module")
def unreachable(unreachable_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("unreachable") / "log"
    with running_server(log, DATABASE_URL=unreachable_database) as server:
        yield server


@pytest.fixture(scope="module")
def empty(empty_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("empty") / "log", DATABASE_URL=empty_database) as server:
        yield server


def lines_about(text: str, log: Path) -> int:
    return sum(text in line for line in log.read_text().splitlines())


class TestADatabaseThatCannotBeReached:
    def test_is_503_as_json_in_the_api(self, unreachable: Server) -> None:
        answer = unreachable.get(API, **STRANGER)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert json.loads(answer.body) == {"error": setup_errors.READ_FAILED, "code": "database_unavailable"}

    def test_is_503_as_text_elsewhere(self, unreachable: Server) -> None:
        answer = unreachable.get(PAGE, **STRANGER)
        assert (answer.status, answer.body) == (503, f"{setup_errors.READ_FAILED}\n")
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"

    def test_is_logged_once_with_its_reason_and_without_a_traceback(self, unreachable: Server) -> None:
        for path in (API, PAGE) * 3:
            unreachable.get(path, **STRANGER)
        log = unreachable.log
        assert lines_about("setup_errors: The database cannot be used (connection failed: ", log) == 1
        assert lines_about("Traceback", log) == lines_about("django.request", log) == lines_about(PASSWORD, log) == 0

    def test_is_told_when_the_development_server_starts(self, unreachable: Server) -> None:
        before, _, _ = unreachable.log.read_text().partition("Starting development server")
        assert "The database cannot be used (connection failed: " in before

    def test_leaves_it_open_what_became_of_a_request_that_writes(
        self, monkeypatch: pytest.MonkeyPatch, webhook_secret: None
    ) -> None:
        def fail(**_: object) -> None:
            raise OperationalError("the connection is closed") from psycopg.OperationalError()

        monkeypatch.setattr("renders.api.incoming_webhooks.views.receive_delivery", fail)
        response = Client(raise_request_exception=False).post("/api/lambda/webhook", {})
        assert (response.status_code, response.json()["error"]) == (503, setup_errors.WRITE_FAILED)
        assert "Retry-After" not in response


class TestADatabaseThatIsNotMigrated:
    def test_is_500_and_names_the_command(self, empty: Server) -> None:
        answer = empty.get(API, **STRANGER)
        body = json.loads(answer.body)
        assert (answer.status, body["code"]) == (500, "not_migrated")
        assert body["error"].startswith("The database is not migrated (")
        assert body["error"].endswith("run `python manage.py migrate`.")
        assert empty.get(PAGE, **STRANGER).body == f"{body['error']}\n"

    def test_is_logged_once_without_a_traceback(self, empty: Server) -> None:
        for path in (API, PAGE) * 3:
            empty.get(path, **STRANGER)
        assert lines_about("setup_errors: The database is not migrated", empty.log) == 1
        assert lines_about("Traceback", empty.log) == lines_about("django.request", empty.log) == 0


class TestAWrongHost:
    @pytest.mark.parametrize("redirects_to_https", [False, True])
    def test_is_400_as_json_in_the_api(self, settings: object, redirects_to_https: bool) -> None:
        settings.SECURE_SSL_REDIRECT = redirects_to_https  # type: ignore[attr-defined]
        response = Client().get(API, headers={"host": "evil.example"})
        assert response.status_code == 400
        assert response.json() == {
            "error": "The host 'evil.example' of this request is not one of DJANGO_ALLOWED_HOSTS.",
            "code": "host_not_allowed",
        }

    def test_is_400_as_text_elsewhere(self) -> None:
        response = Client().get(PAGE, headers={"host": "<b>evil</b>"})
        assert (response.status_code, response["Content-Type"]) == (400, "text/plain; charset=utf-8")
        assert response["X-Content-Type-Options"] == "nosniff"
        assert "DJANGO_ALLOWED_HOSTS" in response.content.decode()

    def test_is_cut_where_it_is_long(self) -> None:
        assert len(Client().get(API, headers={"host": "a" * 5000}).json()["error"]) < 400

    def test_is_logged_once_in_one_line(self, caplog: pytest.LogCaptureFixture) -> None:
        for number in range(5):
            Client().get((API, PAGE)[number % 2], headers={"host": f"evil-{number}.example"})
        (record,) = caplog.records
        assert (record.name, record.exc_info) == (setup_errors.__name__, None)
        assert record.getMessage() == "The host 'evil-0.example' of this request is not one of DJANGO_ALLOWED_HOSTS."


@pytest.mark.django_db(transaction=True)
def test_another_error_of_the_database_is_an_error_of_ours(
    monkeypatch: pytest.MonkeyPatch, webhook_secret: None
) -> None:
    def fail(**_: object) -> None:
        raise OperationalError("deadlock detected") from psycopg.errors.DeadlockDetected()

    monkeypatch.setattr("renders.api.incoming_webhooks.views.receive_delivery", fail)
    response = Client(raise_request_exception=False).post("/api/lambda/webhook", {})
    assert response.status_code == 500
    assert "Something failed on our side" in response.json()["error"]
