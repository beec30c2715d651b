import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from tests.browser.chromium import launch
from tests.browser.guard import Guard
from tests.browser.server import running_service
from tests.browser.views import LAPTOP, View

EXPECT_SECONDS = 20
"""How long a page may take to show what is expected of it, also on a busy machine."""

expect.set_options(timeout=1000 * EXPECT_SECONDS)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Playwright for one module: while it is there, an event loop is that of the whole thread.

    Django then believes that the tests run in it, and refuses queries unless it is told not to.
    """
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield playwright


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = launch(playwright)
    yield browser
    browser.close()


@pytest.fixture
def server(transactional_db: None, bucket: Any, tmp_path: Path) -> Iterator[str]:
    """The address of the service on the test's database; outputs are on moto's S3."""
    log = tmp_path / "web.log"
    with running_service(log) as address:
        yield address
    sys.stdout.write(log.read_text())


@pytest.fixture
def view() -> View:
    """How the page is looked at. Parametrize it for others."""
    return LAPTOP


@pytest.fixture
def guard(server: str) -> Guard:
    return Guard(server=server, media=settings.AWS_ENDPOINT_URL_S3)


@pytest.fixture
def page(browser: Browser, server: str, view: View, guard: Guard) -> Iterator[Page]:
    """A page of nobody's session; the test fails if the guard has seen a fault."""
    with view.open(browser, url=server) as context:
        guard.watch(context)
        yield context.new_page()
    assert not guard.faults, "\n".join(guard.faults)


@pytest.fixture
def signed_in(page: Page, server: str, staff: User) -> Page:
    """A page of a superuser's session."""
    client = Client()
    client.force_login(staff)
    session = {"name": settings.SESSION_COOKIE_NAME, "value": client.session.session_key or "", "url": server}
    page.context.add_cookies([session])  # type: ignore[list-item]
    return page
