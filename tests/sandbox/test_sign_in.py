import runpy
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import include, path

from renderhub.urls import urlpatterns as service
from renders.sandbox.sign_in import USED, use_link, write_link

PAGE = "/admin/renders/render/"
urlpatterns = [path("sandbox/", include("renders.sandbox.urls")), *service]
in_the_sandbox = pytest.mark.urls(__name__)


@pytest.fixture
def file(tmp_path: Path, settings: Any) -> Path:
    settings.SANDBOX_SIGN_IN_FILE = str(tmp_path / "sign-in")
    return tmp_path / "sign-in"


def leads_to(response: Any) -> str:
    """Return where an answer redirects to."""
    assert response.status_code == 302
    return response.url


def token_of(address: str) -> str:
    return address.split("/")[-2]


class TestLink:
    def test_it_is_used_once(self, file: Path) -> None:
        token = token_of(write_link(file, username="ada", page=PAGE))
        link = use_link(file, token)
        assert link is not None
        assert (link.username, link.page) == ("ada", PAGE)
        assert use_link(file, token) is None

    def test_of_many_requests_at_once_one_uses_it(self, file: Path) -> None:
        token = token_of(write_link(file, username="ada", page=PAGE))
        with ThreadPoolExecutor(8) as pool:
            links = list(pool.map(lambda _: use_link(file, token), range(64)))
        assert sum(link is not None for link in links) == 1

    def test_another_token_leaves_it_as_it_is(self, file: Path) -> None:
        token = token_of(write_link(file, username="ada", page=PAGE))
        assert use_link(file, "other") is None
        assert use_link(file, "\ud800") is None
        assert use_link(file, token) is not None

    def test_a_new_one_replaces_it(self, file: Path) -> None:
        first, second = (token_of(write_link(file, username="ada", page=PAGE)) for _ in range(2))
        assert use_link(file, first) is None
        assert use_link(file, second) is not None

    @pytest.mark.parametrize("content", ["", "[]", "{}", '{"token": 1}'])
    def test_a_file_that_is_no_link_is_none(self, file: Path, content: str) -> None:
        file.write_text(content)
        assert use_link(file, "token") is None

    def test_only_its_owner_reads_it_and_the_token_is_not_in_it(self, file: Path) -> None:
        token = token_of(write_link(file, username="ada", page=PAGE))
        assert file.stat().st_mode & 0o777 == 0o600
        assert token not in file.read_text()


@in_the_sandbox
class TestSignIn:
    def test_it_signs_in_and_opens_the_page(self, file: Path, staff: User, client: Client) -> None:
        response = client.get(write_link(file, username=staff.username, page=PAGE))
        assert leads_to(response) == PAGE
        assert client.get(PAGE).status_code == 200
        assert response["Cache-Control"].startswith("max-age=0, no-cache, no-store")

    def test_the_second_time_it_signs_nobody_in_and_says_why(self, file: Path, staff: User, client: Client) -> None:
        address = write_link(file, username=staff.username, page=PAGE)
        Client().get(address)
        response = client.get(address, follow=True)
        assert response.request["PATH_INFO"] == "/admin/login/"
        assert USED in response.content.decode()

    @pytest.mark.parametrize("remote", ["192.0.2.1", "10.0.0.1", "::ffff:10.0.0.1", "2001:db8::1", "", "unix"])
    def test_from_elsewhere_it_does_not_exist(self, file: Path, staff: User, client: Client, remote: str) -> None:
        address = write_link(file, username=staff.username, page=PAGE)
        assert client.get(address, REMOTE_ADDR=remote).status_code == 404
        assert leads_to(client.get(address, REMOTE_ADDR="::1")) == PAGE

    def test_another_host_name_is_refused(self, file: Path, staff: User, client: Client) -> None:
        address = write_link(file, username=staff.username, page=PAGE)
        assert client.get(address, HTTP_HOST="attacker.example").status_code == 400
        assert file.exists()

    @pytest.mark.parametrize("method", ["head", "post", "options"])
    def test_only_a_get_uses_it(self, file: Path, staff: User, client: Client, method: str) -> None:
        address = write_link(file, username=staff.username, page=PAGE)
        assert getattr(client, method)(address).status_code == 405
        assert file.exists()

    def test_a_user_who_is_gone_is_not_signed_in(self, file: Path, db: None, client: Client) -> None:
        response = client.get(write_link(file, username="gone", page=PAGE))
        assert leads_to(response) == "/admin/"
        assert "sessionid" not in client.cookies


class TestAddress:
    @pytest.mark.django_db
    def test_a_service_that_is_not_the_sandboxs_has_none(self, client: Client) -> None:
        assert client.get("/sandbox/sign-in/token/").status_code == 404

    @pytest.mark.parametrize(("name", "count"), [("", 0), ("/a/sign-in", 1)])
    def test_the_setting_makes_it(self, settings: Any, name: str, count: int) -> None:
        settings.SANDBOX_SIGN_IN_FILE = name
        made = runpy.run_path(str(Path(django_settings.BASE_DIR) / "renderhub" / "urls.py"))["urlpatterns"]
        assert [str(pattern.pattern) for pattern in made].count("sandbox/") == count
