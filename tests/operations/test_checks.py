from typing import Any

import environ
import pytest
from django.core.checks import WARNING, run_checks

from renderhub.env import env
from renders.remotion import storage
from tests.processes import run_python

SECRET = "0123456789abcdef0123456789abcdef"
OURS = "renders."


def messages(*, deploy: bool = True) -> list[Any]:
    found = run_checks(include_deployment_checks=deploy)
    return [message for message in found if str(message.id).startswith(OURS)]


def ids() -> list[str]:
    return sorted(str(message.id) for message in messages())


@pytest.fixture(autouse=True)
def set_up_environment(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_IS_GENERATED = SECRET, False
    settings.WEBHOOK_ALLOW_PRIVATE = False
    monkeypatch.setattr(storage, "missing_lifecycle_rules", lambda *_, **__: [])  # S3 is not asked
    monkeypatch.setattr(environ.Env, "ENVIRON", {})


def test_the_defaults_are_fine() -> None:
    assert messages() == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("REMOTION_AWS_ACCESS_KEY_ID", "", "renders.W001"),
        ("REMOTION_SITE_NAME", "", "renders.W001"),
        ("API_ALLOW_ANONYMOUS", True, "renders.W002"),
        ("REMOTION_PRIVACY", "public", "renders.W003"),
        ("WEBHOOK_ALLOW_PRIVATE", True, "renders.W014"),
        ("SECRET_KEY_IS_GENERATED", True, "renders.W009"),
    ],
)
def test_what_is_unwise_in_production_is_a_warning(settings: Any, name: str, value: Any, expected: str) -> None:
    setattr(settings, name, value)
    (message,) = messages()
    assert message.id == expected
    assert message.hint
    assert messages(deploy=False) == []


def test_limits_that_each_process_counts_for_itself(settings: Any) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    assert messages() == []
    settings.API_RATE_READ = "60/minute"
    assert ids() == ["renders.W013"]
    settings.CACHES = {"default": {"BACKEND": "renderhub.database_cache.CountingDatabaseCache", "LOCATION": "a"}}
    assert messages() == []


@pytest.mark.parametrize(
    ("url", "secret", "expected"),
    [
        ("", "", []),
        ("", SECRET, []),
        ("https://renders.example/api/lambda/webhook", f"{SECRET}, {SECRET}", []),
        ("https://renders.example/hub/api/lambda/webhook/", SECRET, []),
        ("https://renders.example/api/lambda/webhook", " , ", ["renders.W004"]),
        ("http://renders.example/api/lambda/webhook", SECRET, ["renders.W005"]),
        ("renders.example/api/lambda/webhook", SECRET, ["renders.W005"]),
        ("https://other.example:8000/api/lambda/webhook", SECRET, ["renders.W006"]),
        ("https://renders.example", SECRET, ["renders.W007"]),
        ("https://renders.example/api/webhook", SECRET, ["renders.W007"]),
        ("https://renders.example/?next=/api/lambda/webhook", SECRET, ["renders.W007"]),
        ("https://renders.example/api/lambda/webhook", f"{SECRET},{SECRET[1:]}", ["renders.W008"]),
        ("https://[", SECRET, ["renders.W007"]),
    ],
)
def test_a_webhook_is_secret_encrypted_and_let_in(settings: Any, url: str, secret: str, expected: list[str]) -> None:
    settings.ALLOWED_HOSTS = ["renders.example"]
    settings.REMOTION_WEBHOOK_URL, settings.REMOTION_WEBHOOK_SECRET = url, secret
    assert ids() == expected


class TestVersionOfTheFunction:
    @pytest.mark.parametrize("name", ["", "our-function", "remotion-render-4-0-403-mem2048mb-disk2048mb-120sec"])
    def test_one_that_was_tried_or_is_not_told_is_fine(self, settings: Any, name: str) -> None:
        settings.REMOTION_FUNCTION_NAME = name
        assert messages() == []

    def test_warn_of_another(self, settings: Any) -> None:
        settings.REMOTION_FUNCTION_NAME = "remotion-render-4-0-404-mem2048mb-disk2048mb-120sec"
        (message,) = messages(deploy=False)
        assert (message.id, message.level) == ("renders.W011", WARNING)
        assert "4.0.404" in message.msg
        assert "python -m tests.compatibility 4.0.404" in message.hint


class TestUnknownVariables:
    @pytest.mark.parametrize(
        ("name", "nearest"),
        [
            ("REMOTION_CONCURENCY", "REMOTION_CONCURRENCY"),
            ("REMOTION_AWS_REGION", "REMOTION_REGION"),
            ("remotion_ram", "REMOTION_RAM"),
            ("RENDERHUB_LOGLEVEL", "RENDERHUB_LOG_LEVEL"),
            ("API_ALLOW_ANONYMOS", "API_ALLOW_ANONYMOUS"),
            ("DJANGO_ALLOWED_HOST", "DJANGO_ALLOWED_HOSTS"),
            ("DATABASE_URI", "DATABASE_URL"),
        ],
    )
    def test_warn_with_the_nearest_setting(
        self, settings: Any, monkeypatch: pytest.MonkeyPatch, name: str, nearest: str
    ) -> None:
        monkeypatch.setattr(environ.Env, "ENVIRON", {name: "9"})
        settings.UNKNOWN_VARIABLES = env.unknown()
        (message,) = messages(deploy=False)
        assert (message.id, message.hint) == ("renders.W010", f"Did you mean {nearest}?")
        assert f"environment variable {name} is set" in message.msg

    def test_that_resemble_none_point_to_the_list(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(environ.Env, "ENVIRON", {"REMOTION_FOO": "9"})
        settings.UNKNOWN_VARIABLES = env.unknown()
        (message,) = messages(deploy=False)
        assert message.hint == "The file .env.example lists the settings."

    def test_of_other_programs_are_fine(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        others = ("DJANGO_SETTINGS_MODULE", "DJANGO_SUPERUSER_PASSWORD", "DATABASE_HOST", "AWS_REGION", "PATH")
        monkeypatch.setattr(environ.Env, "ENVIRON", dict.fromkeys([*others, *env.names], "9"))
        settings.UNKNOWN_VARIABLES = env.unknown()
        assert messages(deploy=False) == []

    def test_every_command_warns(self) -> None:
        done = run_python("manage.py", "check", REMOTION_CONCURENCY="9")
        assert done.returncode == 0
        assert "Did you mean REMOTION_CONCURRENCY?" in done.stderr


def test_check_deploy_refuses_a_webhook_url_without_scheme() -> None:
    done = run_python("manage.py", "check", "--deploy", REMOTION_WEBHOOK_URL="renders.example/api/lambda/webhook")
    assert done.returncode == 1
    assert done.stderr.startswith("REMOTION_WEBHOOK_URL is 'renders.example/api/lambda/webhook': use a URL")
