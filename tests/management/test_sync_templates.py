from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from renders.models import Template
from renders.remotion.compositions import Composition
from renders.remotion.errors import FunctionMissing
from renders.services.templates import sync

pytestmark = pytest.mark.django_db
PROMO = Composition(
    id="Promo", width=1280, height=720, fps=30, duration_in_frames=150, default_props={}, default_codec=None
)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The serve URLs of which the function was asked; each has one composition."""
    urls: list[str] = []

    def list_compositions(target: object, *, serve_url: str, input_props: object) -> list[Composition]:
        urls.append(serve_url)
        return [PROMO]

    monkeypatch.setattr(sync, "list_compositions", list_compositions)
    return urls


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("sync_templates", *arguments, stdout=out)
    return out.getvalue()


def test_each_change_is_told_and_then_counted(asked: list[str]) -> None:
    assert run() == "created   promo\n1 created, 0 updated, 0 disabled, 0 unchanged.\n"
    assert run() == "0 created, 0 updated, 0 disabled, 1 unchanged.\n"
    assert asked == ["renderhub", "renderhub"]


def test_a_site_can_be_named(asked: list[str]) -> None:
    url = "https://bucket.s3.us-east-1.amazonaws.com/sites/other/index.html"
    run("--site", url)
    assert asked == [url]
    assert Template.objects.get().site == url


def test_the_versions_of_a_site_can_be_raised(asked: list[str]) -> None:
    run()
    run("--site", "other")
    assert run("--site=renderhub", "--raise-versions").endswith("1 unchanged.\nRaised the version of 1.\n")
    assert dict(Template.objects.values_list("name", "version")) == {"promo": 2, "other-promo": 1}


def test_one_sentence_says_why_the_function_cannot_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **rest: object) -> None:
        raise FunctionMissing("There is no function.")

    monkeypatch.setattr(sync, "list_compositions", fail)
    with pytest.raises(CommandError, match=r"^There is no function\.$"):
        run()


def test_a_site_that_is_none_is_told(asked: list[str]) -> None:
    with pytest.raises(CommandError, match="Use the name of a site"):
        run("--site", "two words")
    assert asked == []
