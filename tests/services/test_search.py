"""Find renders by what a person types."""

from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import connection

from renders.models import Render, RenderText
from renders.services import search as module
from renders.services.search import Found, search, understand
from tests.factories import make_render

pytestmark = pytest.mark.django_db
Status = Render.Status


def found(text: str) -> set[UUID]:
    """Return the ids of what is found, after checking that the parts are the same, each once."""
    result = search(Render.objects.all(), text)
    parts = [render.pk for part in result.parts for render in part]
    assert len(parts) == len(set(parts))
    assert set(parts) == {render.pk for render in result.renders}
    return set(parts)


@pytest.fixture
def render() -> Render:
    """A render among others."""
    make_render(Status.FAILED, render_id="zzz")
    render = make_render(id=UUID("3f2a77b1-0d1c-4f6e-9a55-1c2d3e4f5a6b"), render_id="q1w2e3r4t5")
    RenderText.objects.store(Render.objects.all())
    return render


class TestIds:
    @pytest.mark.parametrize(
        "text",
        [
            "3f2a77b1-0d1c-4f6e-9a55-1c2d3e4f5a6b",
            "3f2a77b10d1c4f6e9a551c2d3e4f5a6b",
            "3f2a77b1-0d1c",
            "3F2A77",
            "3f2a",
            "q1w2e3r4t5",
            "q1w2",
            "Q1W2E3",
            " q1w2e3r4t5 ",
        ],
    )
    def test_either_id_by_its_beginning(self, render: Render, text: str) -> None:
        assert found(text) == {render.pk}

    @pytest.mark.parametrize("text", ["3f2", "q1w", "2a77b1", "1w2e3r4t5", "3f2b", "q1w3", "3f2a77b2"])
    def test_not_by_less_or_by_something_else(self, render: Render, text: str) -> None:
        assert found(text) == set()

    def test_several_in_full(self, render: Render) -> None:
        other = make_render()
        assert found(f"{render.pk} {other.render_id}") == {render.pk, other.pk}

    def test_an_external_id(self, render: Render) -> None:
        named = make_render(external_id="order-17")
        assert found("order-17") == {named.pk}

    def test_a_renderid_with_characters_of_patterns(self, render: Render) -> None:
        make_render(render_id="axbc1")
        odd = make_render(render_id="a_bc1")
        assert found("a_bc") == {odd.pk}
        assert found("a%bc") == set()

    def test_of_many_only_the_first_are_shown(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "MAX_IDS", 2)
        for number in range(3):
            make_render(render_id=f"same{number}")
        assert len(found("same")) == 2
        assert "the first 2 renders whose id begins with “same”" in search(Render.objects.all(), "same").note


class TestOwners:
    @pytest.fixture
    def alice(self) -> User:
        return User.objects.create_user("alice", email="Alice@Example.com")

    @pytest.mark.parametrize("text", ["alice", "Alice", "alice@example.com", "ALICE@EXAMPLE", "ali", "A"])
    def test_by_the_beginning_of_name_or_mail_whatever_the_case(self, alice: User, user: User, text: str) -> None:
        own = make_render(owner=alice)
        make_render()
        others = {make_render(owner=user).pk} if text == "A" else set()
        assert found(text) == {own.pk} | others

    def test_a_name_in_full_means_nobody_else(self, alice: User) -> None:
        make_render(owner=User.objects.create_user("alice2"))
        RenderText.objects.store([make_render(input_props={"code": "alice"})])
        own = make_render(owner=alice)
        assert found("alice") == {own.pk}
        assert search(Render.objects.all(), "alice").note == "Looked for renders of alice."

    def test_one_that_several_queries_find_is_found_once(self, alice: User) -> None:
        render = make_render(owner=alice, render_id="alic1", input_props={"code": "alice"})
        RenderText.objects.store([render])
        assert found("alic") == {render.pk}


class TestWords:
    @pytest.fixture
    def failed(self) -> Render:
        props = {"code": "A blue <Cube/> turns", "style": {"names": ["Grüße"]}, "durationInFrames": 3}
        render = make_render(Status.FAILED, error="Error: boom at frame 12", input_props=props)
        RenderText.objects.store([render, make_render(input_props={"blue_name": "red"})])
        return render

    @pytest.mark.parametrize(
        "text",
        [
            "boom",
            "BOOM",
            "Error: boom",
            "frame boom",
            "boo",
            "12",
            "blue cube",
            "grüße",
            "boom blue",
            '"boom"',
            "a blue",
        ],
    )
    def test_of_the_error_and_the_input(self, failed: Render, text: str) -> None:
        assert found(text) == {failed.pk}

    @pytest.mark.parametrize("text", ["oom", "boom nothing", "1", "durationInFrames", "names", "bl"])
    def test_not_by_a_part_of_a_word_or_a_name(self, failed: Render, text: str) -> None:
        assert found(text) == set()

    def test_in_quotes_it_is_no_name(self, failed: Render) -> None:
        make_render(owner=User.objects.create_user("boom"))
        assert found('"boom"') == {failed.pk}

    def test_a_pasted_text_is_found_by_its_first_words(self) -> None:
        text = " ".join(f"w{number}" for number in range(1500))
        render = make_render(input_props={"code": text})
        RenderText.objects.store([render, make_render(input_props={"code": "w0 w1"})])
        assert found(text) == {render.pk}

    @pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has an index of words")
    def test_without_an_index_only_the_newest_are_read_and_it_says_so(
        self, failed: Render, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "NEWEST", 1)
        assert found("boom") == set()
        assert "among the newest 1 with “boom”" in search(Render.objects.all(), "boom").note
        only_failed = search(Render.objects.with_status(Status.FAILED), "boom")
        assert [render.pk for render in only_failed.renders] == [failed.pk]


def test_nothing_typed_is_everything(render: Render) -> None:
    result = search(Render.objects.all(), "  ")
    assert (len(result.renders), result.note) == (2, "")


def test_it_is_among_what_is_filtered(render: Render) -> None:
    assert not search(Render.objects.with_status(Status.FAILED), "q1w2").renders


def test_letters_alone_are_words(render: Render) -> None:
    assert not understand("face").ids
    by_word = make_render(input_props={"code": "face"})
    RenderText.objects.store([by_word])
    assert found("face") == {by_word.pk}


def test_it_is_understood_by_a_few_queries(render: Render, django_assert_max_num_queries: Any) -> None:
    # Ids and owners in full; beginnings of renderIds, external ids, owners. PostgreSQL: are the words common?
    with django_assert_max_num_queries(5 if connection.vendor == "sqlite" else 10):
        result: Found = search(Render.objects.all(), "q1w2")
    assert len(result.parts) == 2
