import socket
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import load_command_class
from django.db import DatabaseError, connection, transaction

from renders.management.base import DatabaseCommand
from renders.models import Render
from renders.operations.database import NotMigrated, check_database, find_problem
from tests.operations.conftest import PASSWORD
from tests.processes import run_python

ROOT = Path(settings.BASE_DIR)


@pytest.mark.parametrize("command", ["migrate", "render_worker", "create_api_key ada --name shop"])
def test_a_command_says_that_the_database_cannot_be_reached(command: str, unreachable_database: str) -> None:
    done = run_python("manage.py", *command.split(), DATABASE_URL=unreachable_database)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "The database cannot be used (connection failed: " in done.stderr
    assert "Connection refused): try again, or check DATABASE_URL." in done.stderr
    assert PASSWORD not in done.stderr + done.stdout


@pytest.mark.parametrize("command", ["render_worker", "refresh_renders", "create_api_key ada --name shop"])
def test_a_command_says_that_the_database_is_not_migrated(command: str, empty_database: str) -> None:
    done = run_python("manage.py", *command.split(), DATABASE_URL=empty_database)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "The database is not migrated (" in done.stderr
    assert "run `python manage.py migrate`." in done.stderr


def test_each_command_that_needs_rows_refuses_to_start_on_such_a_database() -> None:
    names = {path.stem for path in (ROOT / "renders" / "management" / "commands").glob("[a-z]*.py")}
    for name in names - {"runserver", "sandbox"}:
        assert isinstance(load_command_class("renders", name), DatabaseCommand)


@pytest.mark.parametrize("command", ["migrate", "render_worker"])
def test_a_command_says_that_an_sqlite_file_cannot_be_opened(command: str, tmp_path: Path) -> None:
    done = run_python("manage.py", command, DATABASE_URL=f"sqlite:///{tmp_path / 'missing' / 'db.sqlite3'}")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "The database cannot be used (unable to open database file)" in done.stderr


def test_a_command_says_that_a_file_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("This is not a database." * 100)
    done = run_python("manage.py", "refresh_renders", DATABASE_URL=f"sqlite:///{tmp_path / 'text'}")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "The database cannot be used (file is not a database)" in done.stderr


def test_an_option_that_postgresql_does_not_know(unreachable_database: str) -> None:
    done = run_python("manage.py", "migrate", DATABASE_URL=f"{unreachable_database}?sslmod=require")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert 'The database cannot be used (invalid connection option "sslmod")' in done.stderr


def test_a_server_that_never_answers_is_waited_for_no_longer_than_is_set() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgres://ada:{PASSWORD}@127.0.0.1:{silent.getsockname()[1]}/x?connect_timeout=1"
        done = run_python("manage.py", "refresh_renders", DATABASE_URL=url)
    assert "The database cannot be used (connection timeout expired)" in done.stderr


@pytest.mark.django_db(transaction=True)
class TestAnErrorOfAStatement:
    def test_on_a_migrated_database_is_no_problem_of_the_database(self) -> None:
        with pytest.raises(DatabaseError) as error, connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")
        assert find_problem(error.value) is None
        assert check_database() is None

    def test_in_a_transaction_asks_the_database_nothing(self) -> None:
        with transaction.atomic():
            with pytest.raises(DatabaseError) as error, connection.cursor() as cursor:
                cursor.execute("SELECT nothing FROM nowhere")
            assert find_problem(error.value) is None
            transaction.set_rollback(True)

    def test_on_a_connection_that_the_server_has_ended(self) -> None:
        if connection.vendor != "postgresql":
            pytest.skip("SQLite has no server.")
        with pytest.raises(DatabaseError) as error, connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        connection.close()
        assert "The database cannot be used (" in str(find_problem(error.value))
        assert not Render.objects.exists(), "the next connection works"


@pytest.mark.django_db
def test_migrations_that_are_missing_are_counted() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'renders'")
    problem = check_database()
    assert isinstance(problem, NotMigrated)
    assert problem.migrations == len(list((ROOT / "renders" / "migrations").glob("0*.py")))
