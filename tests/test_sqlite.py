from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db.utils import ConnectionHandler


@pytest.mark.django_db
def test_sqlite_waits_its_turn_and_lets_readers_read(tmp_path: Path) -> None:
    default = django_settings.DATABASES["default"]
    if default["ENGINE"] != "django.db.backends.sqlite3":
        pytest.skip("PostgreSQL does by itself.")
    database = ConnectionHandler({"default": {**default, "NAME": tmp_path / "db.sqlite3"}})["default"]
    with database.cursor() as cursor:
        assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert default["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    database.close()
