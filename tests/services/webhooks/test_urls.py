"""URLs that are refused at once."""

from typing import Any

import pytest

from renders.services.webhooks.urls import (
    NO_CREDENTIALS,
    NO_FRAGMENT,
    NO_URL,
    NOT_PUBLIC,
    TOO_LONG,
    UNUSABLE_URL,
    url_problem,
)


@pytest.fixture(autouse=True)
def refuse_private(settings: Any) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = False


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com./",
        "https://example.com:8443/a/b?c=d",
        "https://1.1.1.1/",
        "https://[2606:4700::1111]:443/",
    ],
)
def test_good(url: str) -> None:
    assert url_problem(url) == ""


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", NO_URL),
        ("example.com", NO_URL),
        ("http://example.com/", NO_URL),
        ("ftp://example.com/", NO_URL),
        ("https://", UNUSABLE_URL),
        ("https://example.com:99999/", UNUSABLE_URL),
        ("https://example.com:0/", UNUSABLE_URL),
        ("https://exa mple.com/", UNUSABLE_URL),
        ("https://example.com/\r\nHost: other", UNUSABLE_URL),
        ("https://exämple.com/", UNUSABLE_URL),
        ("https://[::1", UNUSABLE_URL),
        ("https://a..example.com/", UNUSABLE_URL),
        ("https://.example.com/", UNUSABLE_URL),
        (f"https://{'a' * 64}.example.com/", UNUSABLE_URL),
        ("https://ada:secret@example.com/", NO_CREDENTIALS),
        ("https://example.com/#a", NO_FRAGMENT),
        ("https://127.0.0.1/", NOT_PUBLIC),
        ("https://[::1]/", NOT_PUBLIC),
        ("https://[::ffff:8.8.8.8]/", NOT_PUBLIC),
        ("https://localhost/", NOT_PUBLIC),
        ("https://metadata.google.internal/", NOT_PUBLIC),
        ("https://example.com/" + "a" * 2000, TOO_LONG),
    ],
)
def test_bad(url: str, problem: str) -> None:
    assert url_problem(url) == problem


def test_for_development_http_and_loopback_are_allowed(settings: Any) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = True
    assert url_problem("http://127.0.0.1:8000/hook") == ""
