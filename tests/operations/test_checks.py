import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings

from renders.operations.checks import check_deployment, check_values


def ids(messages: list[Any]) -> list[str]:
    return [message.id for message in messages]


def test_the_defaults_are_fine() -> None:
    assert check_values() == []
    assert check_deployment() == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("REMOTION_REGION", "mars-north-1", "renders.E001"),
        ("REMOTION_PRIVACY", "secret", "renders.E002"),
        ("REMOTION_RAM", 1, "renders.E003"),
        ("REMOTION_DISK", 99_999, "renders.E003"),
        ("REMOTION_TIMEOUT", 901, "renders.E003"),
        ("REMOTION_START_TIMEOUT", 0, "renders.E003"),
        ("REMOTION_MAX_CODE_LENGTH", 0, "renders.E003"),
    ],
)
def test_a_value_that_cannot_work_is_an_error(settings: Any, name: str, value: Any, expected: str) -> None:
    setattr(settings, name, value)
    (message,) = check_values()
    assert message.id == expected
    assert name in message.msg
    assert message.hint


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("REMOTION_AWS_ACCESS_KEY_ID", "", "renders.W001"),
        ("REMOTION_SITE_NAME", "", "renders.W001"),
        ("API_ALLOW_ANONYMOUS", True, "renders.W002"),
        ("REMOTION_PRIVACY", "public", "renders.W003"),
    ],
)
def test_what_is_unwise_in_production_is_a_warning(settings: Any, name: str, value: Any, expected: str) -> None:
    setattr(settings, name, value)
    assert ids(check_deployment()) == [expected]


@pytest.mark.parametrize(
    ("url", "secret", "expected"),
    [
        ("", "", []),
        ("", "s3cr3t", []),
        ("https://renders.example/api/lambda/webhook", "new,old", []),
        ("https://renders.example/api/lambda/webhook", " , ", ["renders.W004"]),
        ("http://renders.example/api/lambda/webhook", "s3cr3t", ["renders.W005"]),
        ("renders.example", "", ["renders.W004", "renders.W005"]),
        ("https://other.example:8000/api/lambda/webhook", "s3cr3t", ["renders.W006"]),
        ("https://[", "s3cr3t", []),
    ],
)
def test_a_webhook_is_secret_encrypted_and_let_in(settings: Any, url: str, secret: str, expected: list[str]) -> None:
    settings.ALLOWED_HOSTS = ["renders.example"]
    settings.REMOTION_WEBHOOK_URL, settings.REMOTION_WEBHOOK_SECRET = url, secret
    assert ids(check_deployment()) == expected


def test_an_env_file_that_is_not_there_is_told() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=settings.BASE_DIR,
        env={"PATH": "", "RENDERHUB_ENV_FILE": "/nowhere/env"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode
    assert "RENDERHUB_ENV_FILE names /nowhere/env, which is not there." in done.stderr
