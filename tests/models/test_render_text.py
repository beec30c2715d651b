"""The words by which renders are found, and that they follow the renders."""

import pytest
from django.contrib.auth.models import User

from renders.models import Render, RenderText, transitions
from renders.models.render_text import MAX_LENGTH, MAX_READ, words_of
from renders.services.refresh.apply import change_render
from tests.factories import create, make_render
from tests.servers import ScriptedServer

pytestmark = pytest.mark.django_db
Status = Render.Status


def words(render: Render) -> tuple[str, str]:
    text = RenderText.objects.get(pk=render.pk)
    return text.error, text.input


class TestWords:
    def test_each_is_kept_once_in_lower_case_without_signs(self) -> None:
        assert words_of(["Don't <b>panic</b>!", "PANIC at snake_case, 4.0.5 – naïve"]) == (
            ["don", "t", "b", "panic", "at", "snake", "case", "4", "0", "5", "naïve"]
        )

    def test_of_a_long_text_the_beginning_is_kept(self) -> None:
        long = " ".join(f"word{number}" for number in range(10_000))
        render = make_render(input_props={"code": long})
        RenderText.objects.store([render])
        _, stored = words(render)
        assert len(stored) == MAX_LENGTH
        assert stored.startswith(" word0 word1 ")

    def test_no_more_is_read_than_that(self) -> None:
        assert len(words_of(["x " * MAX_READ, "later"])) == 1

    def test_one_word_without_end_is_cut(self) -> None:
        assert [len(word) for word in words_of(["x" * 5000])] == [64]

    def test_values_of_the_input_are_strings_at_any_depth(self) -> None:
        render = make_render(input_props={"a": {"b": ["one", {"c": "two"}]}, "d": 3, "e": None, "f": True})
        RenderText.objects.store([render])
        assert words(render) == ("  ", " one two ")


class TestLife:
    def test_a_new_render_has_the_words_of_its_input(self, aws: ScriptedServer, user: User) -> None:
        assert words(create(user)) == ("  ", " create a rotating 3d cube with blue color ")

    def test_one_that_fails_has_those_of_its_error_too(self, aws: ScriptedServer) -> None:
        render = create()

        def fail(row: Render) -> None:
            at = row.created_at
            transitions.mark_failed(row, Render.FailureReason.RENDER_ERROR, error="Error: boom", at=at)

        change_render(render.pk, fail)
        assert words(render) == (" error boom ", " create a rotating 3d cube with blue color ")

    def test_one_that_recovers_loses_them(self, aws: ScriptedServer) -> None:
        render = make_render(Status.FAILED, failure_reason="timed_out", error="Too long")
        RenderText.objects.store([render])

        def succeed(row: Render) -> None:
            transitions.mark_succeeded(row, output_bucket="b", output_key="k", output_size=1, at=row.created_at)

        change_render(render.pk, succeed)
        assert words(render)[0] == "  "

    def test_they_go_with_the_render(self) -> None:
        render = make_render()
        RenderText.objects.store([render])
        render.delete()
        assert not RenderText.objects.exists()
