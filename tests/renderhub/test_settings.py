import os
import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import environ
import pytest
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured

from renderhub.env import GENERATED_KEY_PREFIX, env
from tests.processes import run_python

ROOT = Path(django_settings.BASE_DIR)
Read = Callable[..., dict[str, Any]]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Read:
    """Return a function that runs settings.py with these environment variables only."""

    def read(**variables: str) -> dict[str, Any]:
        monkeypatch.setattr(environ.Env, "ENVIRON", {"RENDERHUB_ENV_FILE": os.devnull, **variables})
        return runpy.run_path(str(ROOT / "renderhub" / "settings.py"))

    return read


class TestABadValue:
    @pytest.mark.parametrize(
        ("name", "value", "allowed"),
        [
            ("REMOTION_RAM", "12x", "a whole number from 512 to 10,240"),
            ("REMOTION_RAM", "3009.5", "a whole number from 512 to 10,240"),
            ("REMOTION_RAM", "3009 # MB", "a whole number from 512 to 10,240"),
            ("REMOTION_RAM", "511", "a whole number from 512 to 10,240"),
            ("REMOTION_DISK", "10241", "a whole number from 512 to 10,240"),
            ("REMOTION_TIMEOUT", "901", "a whole number from 15 to 900"),
            ("REMOTION_START_TIMEOUT", "0", "a whole number from 1 to 900"),
            ("REMOTION_STALL_SECONDS", "-1", "a whole number from 1 to 86,400"),
            ("REMOTION_CONCURRENCY", "0", "a whole number from 1 to 100,000"),
            ("REMOTION_MAX_CODE_LENGTH", "1000001", "a whole number from 1 to 1,000,000"),
            ("DATABASE_CONN_MAX_AGE", "-1", "a whole number from 0 to 86,400"),
            ("DJANGO_SECURE_HSTS_SECONDS", "forever", "a whole number from 0 to 315,360,000"),
            ("API_ALLOW_ANONYMOUS", "maybe", "true or false"),
            ("DJANGO_DEBUG", "2", "true or false"),
            ("DJANGO_BEHIND_PROXY", "nginx", "true or false"),
            ("DJANGO_SECURE_COOKIES", "falsee", "true or false"),
            ("DJANGO_SECURE_SSL_REDIRECT", "-1", "true or false"),
            ("REMOTION_USE_DEFAULT_CREDENTIALS", "none", "true or false"),
            ("REMOTION_IS_PRODUCTION", "null", "true or false"),
            ("REMOTION_REGION", "mars-north-1", "one of af-south-1, "),
            ("REMOTION_PRIVACY", "secret", "one of private, public, no-acl"),
            ("RENDERHUB_LOG_LEVEL", "loud", "one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
            ("REMOTION_FUNCTION_NAME", "arn:aws:lambda:us-east-1:1:function:f", "the name of a Lambda function"),
            ("REMOTION_FUNCTION_NAME", "f" * 65, "the name of a Lambda function"),
            ("REMOTION_BUCKET_NAME", "s3://remotionlambda", "the name of an S3 bucket"),
            ("REMOTION_BUCKET_NAME", "Remotion_Lambda", "the name of an S3 bucket"),
            ("REMOTION_SITE_NAME", "https://example.com/site", "REMOTION_SERVE_URL"),
            ("REMOTION_SERVE_URL", "my-video", "REMOTION_SITE_NAME"),
            ("REMOTION_SERVE_URL", "https://exa mple.com", "https:// or http://"),
            ("REMOTION_COMPOSITION", "My_Video", "the id of a composition"),
            ("REMOTION_WEBHOOK_URL", "renders.example.com/api/lambda/webhook", "https:// or http://"),
            ("REMOTION_WEBHOOK_URL", "ftp://renders.example.com", "https:// or http://"),
            ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:port", "https:// or http://"),
            ("AWS_ENDPOINT_URL_LAMBDA", "http://[::1", "https:// or http://"),
            ("AWS_ENDPOINT_URL_LAMBDA", "http://:9000", "https:// or http://"),
            ("DJANGO_ALLOWED_HOSTS", "https://renders.example.com", "names of hosts"),
            ("DJANGO_ALLOWED_HOSTS", "renders.example.com:8000", "names of hosts"),
            ("LAMBDA_API_ENVELOPE", "next", "one of none, remotion"),
            ("API_CORS_ALLOWED_ORIGINS", "*", "https://shop.example.com"),
            ("API_CORS_ALLOWED_ORIGINS", "https://shop.example.com/", "https://shop.example.com"),
            ("API_RATE_CREATE", "60", "a number and second, minute, hour or day"),
            ("API_RATE_READ", "0/minute", "a number and second, minute, hour or day"),
            ("API_RATE_WEBHOOK", "6/fortnight", "a number and second, minute, hour or day"),
            ("DJANGO_CSRF_TRUSTED_ORIGINS", "renders.example.com", "https://renders.example.com"),
            ("DJANGO_CSRF_TRUSTED_ORIGINS", "https://renders.example.com/admin/", "https://renders.example.com"),
        ],
    )
    def test_is_refused_with_name_value_and_what_is_allowed(
        self, read: Read, name: str, value: str, allowed: str
    ) -> None:
        with pytest.raises(ImproperlyConfigured) as refused:
            read(**{name: value})
        message = str(refused.value)
        assert message.removeprefix("A part of ").startswith(f"{name} is {value!r}: use ")
        assert allowed in message

    @pytest.mark.parametrize(
        ("value", "problem"),
        [
            ("hush", "is not the URL of a PostgreSQL or SQLite database"),
            ("mysql://ada:hush@db/renderhub", "is not the URL of a PostgreSQL or SQLite database"),
            ("postgres:hush", "is not the URL of a PostgreSQL or SQLite database"),
            ("postgres://ada:[hush@db/renderhub", "is not the URL of a PostgreSQL or SQLite database"),
            ("postgres://ada:hush@db:/renderhub", "has no valid host and port"),
            ("postgres://ada:hush@db:70000/renderhub", "has no valid host and port"),
            ("postgres://ada:hush@db:port/renderhub", "has no valid host and port"),
            ("postgres://ada:hush#1@db/renderhub", "has no valid host and port"),
            ("postgres://ada:1/hush@db/renderhub", "has a character that must be percent-encoded"),
            ("postgres://ada:1/x?hush=1@db/renderhub", "has a character that must be percent-encoded"),
            ("postgres://ada:hush%00@db/renderhub", "has a character that must be percent-encoded"),
            ("postgres://ada:hush@db:5432", "names no database"),
            ("postgres://ada:hush@db/", "names no database"),
            ("sqlite://hush.sqlite3", "names no file"),
            ("sqlite://", "names no file"),
            ("sqlite://:memory:", "names no file"),
        ],
    )
    def test_a_databases_url_is_not_shown(self, read: Read, value: str, problem: str) -> None:
        with pytest.raises(ImproperlyConfigured, match=f"^DATABASE_URL {problem}") as refused:
            read(DATABASE_URL=value)
        assert "hush" not in str(refused.value)

    @pytest.mark.parametrize(
        "value",
        [
            "memcached://ada:hush@cache",
            "redis://ada:hush@cache:port",
            "redis://ada:hush@cache/one",
            "redis:hush",
            "redis://:hush@/0",
            "redis://ada:hush@cache/0?db=1",
            "locmem://hush",
        ],
    )
    def test_a_caches_url_is_not_shown(self, read: Read, value: str) -> None:
        with pytest.raises(
            ImproperlyConfigured, match=r"^CACHE_URL is not the URL of a cache: use redis://"
        ) as refused:
            read(CACHE_URL=value)
        assert "hush" not in str(refused.value)

    @pytest.mark.parametrize(
        "name",
        [
            "DJANGO_SECRET_KEY",
            "REMOTION_WEBHOOK_SECRET",
            "REMOTION_LICENSE_KEY",
            "REMOTION_AWS_ACCESS_KEY_ID",
            "REMOTION_AWS_SECRET_ACCESS_KEY",
            "REMOTION_AWS_SESSION_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
        ],
    )
    def test_a_secret_is_not_shown(self, read: Read, name: str) -> None:
        with pytest.raises(ImproperlyConfigured, match=f"^{name} .*: use printable ASCII characters") as refused:
            read(**{name: "hush“hush”"})
        assert "hush" not in str(refused.value)

    def test_a_password_in_a_url_is_not_shown(self, read: Read) -> None:
        with pytest.raises(ImproperlyConfigured, match=r"^AWS_ENDPOINT_URL_S3 is not a URL") as refused:
            read(AWS_ENDPOINT_URL_S3="https://ada:hush@s3:port")
        assert "hush" not in str(refused.value)


class TestAGoodValue:
    def test_an_empty_variable_stands_for_the_default(self, read: Read) -> None:
        unset = read()
        empty = read(**{name: " " for name in env.names if name != "RENDERHUB_ENV_FILE"})
        names = [name for name in unset if name.isupper() and name != "SECRET_KEY"]
        assert len(names) > 40
        assert {name: empty[name] for name in names} == {name: unset[name] for name in names}
        assert empty["SECRET_KEY"].startswith(GENERATED_KEY_PREFIX)

    @pytest.mark.parametrize(
        ("text", "value"), [("true", True), ("On", True), ("1", True), (" yes ", True), ("False", False), ("0", False)]
    )
    def test_booleans(self, read: Read, text: str, value: bool) -> None:
        assert read(API_ALLOW_ANONYMOUS=text)["API_ALLOW_ANONYMOUS"] is value

    @pytest.mark.parametrize(("text", "value"), [("", True), ("true", True), ("0", False)])
    def test_a_switch_that_is_on_by_default(self, read: Read, text: str, value: bool) -> None:
        assert read(REMOTION_IS_PRODUCTION=text)["REMOTION_IS_PRODUCTION"] is value

    @pytest.mark.parametrize(
        ("name", "text", "value"),
        [
            ("REMOTION_RAM", " 2048 ", 2048),
            ("REMOTION_REGION", "eu-central-1", "eu-central-1"),
            ("REMOTION_PRIVACY", "Public", "public"),
            ("REMOTION_COMPOSITION", "My-视频", "My-视频"),
            ("REMOTION_SERVE_URL", "http://[::1]:5055/b/sites/s/index.html", "http://[::1]:5055/b/sites/s/index.html"),
            ("REMOTION_WEBHOOK_SECRET", "new, old", "new, old"),
            (
                "CSRF_TRUSTED_ORIGINS",
                "https://*.example.com,http://[::1]:80",
                ["https://*.example.com", "http://[::1]:80"],
            ),
            ("ALLOWED_HOSTS", ".example.com, [::1],*", [".example.com", "[::1]", "*"]),
        ],
    )
    def test_is_a_plain_value(self, read: Read, name: str, text: str, value: Any) -> None:
        variable = name if name.startswith("REMOTION_") else f"DJANGO_{name}"
        assert read(**{variable: text})[name] == value

    def test_a_secret_may_begin_with_a_dollar_sign(self, read: Read) -> None:
        assert read(DJANGO_SECRET_KEY="$ecret")["SECRET_KEY"] == "$ecret"

    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("postgres://ada:p%23w@db:6543/hub", {"USER": "ada", "PASSWORD": "p#w", "HOST": "db", "PORT": 6543}),
            ("postgresql://db/hub", {"NAME": "hub", "HOST": "db", "PORT": ""}),
            ("postgres://ada@a:1,b:2/hub", {"HOST": "a,b", "PORT": "1,2"}),
            ("postgres:////run/postgresql/hub", {"NAME": "hub", "HOST": "/run/postgresql"}),
            ("postgres://db/hub?sslmode=require", {"OPTIONS": {"sslmode": "require", "connect_timeout": 10}}),
            ("sqlite:////srv/hub.sqlite3", {"ENGINE": "django.db.backends.sqlite3", "NAME": "/srv/hub.sqlite3"}),
        ],
    )
    def test_databases(self, read: Read, url: str, expected: dict[str, Any]) -> None:
        database = read(DATABASE_URL=url)["DATABASES"]["default"]
        assert {name: database[name] for name in expected} == expected

    @pytest.mark.parametrize(
        ("url", "backend", "location"),
        [
            ("", "renderhub.database_cache.CountingDatabaseCache", "renders_cache"),
            ("locmem://", "django.core.cache.backends.locmem.LocMemCache", None),
            (
                "redis://ada:p%23w@cache:6380/2",
                "django.core.cache.backends.redis.RedisCache",
                "redis://ada:p%23w@cache:6380/2",
            ),
            ("rediss://cache", "django.core.cache.backends.redis.RedisCache", "rediss://cache"),
        ],
    )
    def test_caches(self, read: Read, url: str, backend: str, location: str | None) -> None:
        cache = read(CACHE_URL=url)["CACHES"]["default"]
        assert cache["BACKEND"] == backend
        assert cache.get("LOCATION") == location

    def test_without_origins_there_is_no_cors(self, read: Read) -> None:
        middleware = "corsheaders.middleware.CorsMiddleware"
        assert middleware not in read()["MIDDLEWARE"]
        allowed = read(API_CORS_ALLOWED_ORIGINS="https://shop.example.com, http://localhost:3000")
        assert allowed["MIDDLEWARE"].index(middleware) == 1
        assert allowed["CORS_ALLOWED_ORIGINS"] == ["https://shop.example.com", "http://localhost:3000"]

    def test_rates(self, read: Read) -> None:
        assert read(API_RATE_READ="1200/minute")["API_RATE_READ"] == "1200/minute"
        assert read()["API_RATE_READ"] == read()["API_RATE_CREATE"] == read()["API_RATE_WEBHOOK"] == ""

    def test_an_address_that_anybody_can_write_is_not_believed(self, read: Read) -> None:
        assert read()["REST_FRAMEWORK"]["NUM_PROXIES"] == 0
        assert read(DJANGO_BEHIND_PROXY="true")["REST_FRAMEWORK"]["NUM_PROXIES"] == 1

    def test_a_connection_to_postgresql_is_kept_for_as_long_as_is_set(self, read: Read) -> None:
        database = read(DATABASE_URL="postgres://db/hub", DATABASE_CONN_MAX_AGE="5")["DATABASES"]["default"]
        assert database["CONN_MAX_AGE"] == 5


class TestTheFileOfSettings:
    def read_file(self, read: Read, path: Path, text: str) -> dict[str, Any]:
        path.write_text(text, encoding="utf-8")
        return read(RENDERHUB_ENV_FILE=str(path))

    def test_its_values_are_read(self, read: Read, tmp_path: Path) -> None:
        text = '\ufeffREMOTION_RAM=2048\r\n\n  # size\n export REMOTION_DISK="512"\nDJANGO_SECRET_KEY=a#b=c \n'
        values = self.read_file(read, tmp_path / "env", text)
        assert (values["REMOTION_RAM"], values["REMOTION_DISK"], values["SECRET_KEY"]) == (2048, 512, "a#b=c")

    def test_the_environment_wins(self, read: Read, tmp_path: Path) -> None:
        (tmp_path / "env").write_text("REMOTION_RAM=2048")
        assert read(RENDERHUB_ENV_FILE=str(tmp_path / "env"), REMOTION_RAM="1024")["REMOTION_RAM"] == 1024

    def test_an_empty_variable_of_the_environment_wins_too(self, read: Read, tmp_path: Path) -> None:
        (tmp_path / "env").write_text("REMOTION_RAM=2048")
        assert read(RENDERHUB_ENV_FILE=str(tmp_path / "env"), REMOTION_RAM="")["REMOTION_RAM"] == 3009

    def test_a_line_that_cannot_be_read_is_refused_without_its_content(self, read: Read, tmp_path: Path) -> None:
        with pytest.raises(ImproperlyConfigured, match=r"^Line 2 of .*env is not NAME=value") as refused:
            self.read_file(read, tmp_path / "env", "REMOTION_RAM=2048\nDJANGO_SECRET_KEY = hush\n")
        assert "hush" not in str(refused.value)

    def test_that_is_not_there_is_refused(self, read: Read) -> None:
        with pytest.raises(ImproperlyConfigured, match=r"^/nowhere/env cannot be read \(No such file .*RENDERHUB_ENV"):
            read(RENDERHUB_ENV_FILE="/nowhere/env")

    def test_that_is_a_folder_is_refused(self, read: Read, tmp_path: Path) -> None:
        with pytest.raises(ImproperlyConfigured, match="cannot be read"):
            read(RENDERHUB_ENV_FILE=str(tmp_path))

    def test_that_is_not_text_is_refused(self, read: Read, tmp_path: Path) -> None:
        (tmp_path / "env").write_bytes(b"\xff\xfe\x00")
        with pytest.raises(ImproperlyConfigured, match="is not text in UTF-8"):
            read(RENDERHUB_ENV_FILE=str(tmp_path / "env"))


class TestEachWayToStart:
    @pytest.mark.parametrize("command", ["check", "runserver", "render_worker"])
    def test_a_command_prints_one_sentence(self, command: str) -> None:
        done = run_python("manage.py", command, REMOTION_RAM="12x")
        assert done.returncode == 1
        assert re.fullmatch(r"REMOTION_RAM is '12x': use a whole number from .*\.\n", done.stderr)

    def test_a_command_shows_the_traceback_if_it_is_asked_for(self) -> None:
        assert "Traceback" in run_python("manage.py", "check", "--traceback", REMOTION_RAM="12x").stderr

    @pytest.mark.parametrize("module", ["renderhub.wsgi", "renderhub.asgi"])
    def test_a_web_server_does_not_start(self, module: str) -> None:
        done = run_python("-c", f"import {module}", REMOTION_RAM="1")
        assert done.returncode
        assert "ImproperlyConfigured: REMOTION_RAM is '1': use a whole number from 512 to 10,240" in done.stderr

    @pytest.mark.parametrize("module", ["renderhub.wsgi", "renderhub.asgi"])
    def test_a_web_server_logs_a_missing_secret_key_and_misspelt_variables(self, module: str) -> None:
        done = run_python("-c", f"import {module}", REMOTION_CONCURENCY="9")
        lines = [line.partition(" WARNING ")[2] for line in done.stderr.splitlines()]
        assert len(lines) == 2
        assert any("REMOTION_CONCURENCY" in line and "Did you mean REMOTION_CONCURRENCY?" in line for line in lines)
        assert any("DJANGO_SECRET_KEY is not set" in line for line in lines)

    def test_a_web_server_with_good_settings_logs_nothing(self) -> None:
        done = run_python("-c", "import renderhub.wsgi", DJANGO_SECRET_KEY="k" * 50)
        assert (done.returncode, done.stderr) == (0, "")


class TestTheDocumentation:
    def test_env_example_lists_all_settings(self) -> None:
        names = re.findall(r"^#? ?([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
        assert sorted(names) == sorted(env.names - {"RENDERHUB_ENV_FILE"})

    def test_settings_page_lists_all_settings(self) -> None:
        page = (ROOT / "docs" / "settings.md").read_text()
        assert [name for name in sorted(env.names) if f"`{name}`" not in page] == []
