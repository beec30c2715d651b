from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from renders.models import ApiKey

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[str, str]:
    """Return what is printed: on stdout, on stderr."""
    out, err = StringIO(), StringIO()
    call_command("create_api_key", *arguments, stdout=out, stderr=err, no_color=True)
    return out.getvalue(), err.getvalue()


def test_it_prints_the_key_alone_on_stdout(user: User) -> None:
    out, err = run("ada", "--name", "shop")
    assert out.endswith("\n")
    assert "never expires" in err
    assert out.strip() not in err
    response = APIClient(headers={"Authorization": f"Bearer {out.strip()}"}).get("/api/renders/")
    assert response.status_code == 200


def test_scopes_and_days(user: User) -> None:
    _, err = run("ada", "--name", "shop", "--scope", "renders:read", "--scope", "renders:write", "--days", "90")
    key = ApiKey.objects.get()
    assert key.scopes == ["renders:read", "renders:write"]
    assert (key.expiry - key.created).days in (89, 90)
    assert "renders:read, renders:write" in err
    assert f"{key.expiry:%Y-%m-%d}" in err


def test_a_user_that_there_is_not(user: User) -> None:
    with pytest.raises(CommandError, match="There is no user 'grace'"):
        run("grace", "--name", "shop")


def test_a_user_who_has_left(user: User) -> None:
    User.objects.update(is_active=False)
    with pytest.raises(CommandError, match="is not active"):
        run("ada", "--name", "shop")
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        ["--name", " "],
        ["--name", "x" * 101],
        ["--name", "a\0b"],
        ["--name", "shop", "--days", "0"],
        ["--name", "shop", "--days", "99999999"],
        ["--name", "shop", "--scope", "all"],
        [],
    ],
)
def test_what_cannot_be_used_is_refused(user: User, wrong: list[Any]) -> None:
    with pytest.raises(CommandError):
        run("ada", *wrong)
    assert not ApiKey.objects.exists()
