from typing import Any

import pytest

from renders.admin.renders.options_form import PREFIX, OptionsForm, own_options
from renders.models import Template
from renders.remotion.option_table import OPTIONS
from renders.remotion.options import validate_options

TEMPLATE = Template(
    name="promo", default_options={"codec": "h265", "crf": 20}, allowed_options=["crf", "scale", "codec"]
)


def form(data: dict[str, str] | None = None, *, template: Template | None = None, **values: Any) -> OptionsForm:
    return OptionsForm(data, template=template, values=values)


def sent(data: dict[str, str], **options: Any) -> dict[str, Any]:
    filled = form({f"{PREFIX}{name}": value for name, value in data.items()}, **options)
    assert filled.is_valid()
    return filled.sent()


class TestFields:
    def test_every_option_has_one(self) -> None:
        assert set(form().fields) == {PREFIX + option.name for option in OPTIONS}

    def test_a_template_that_allows_some_shows_those(self) -> None:
        assert set(form(template=TEMPLATE).fields) == {f"{PREFIX}codec", f"{PREFIX}crf", f"{PREFIX}scale"}
        assert form(template=Template(name="none", allowed_options=[])).groups == []

    def test_ranges_and_codecs_are_told(self) -> None:
        assert "0 to 63. Codecs: h264, h265, vp8, vp9." in form().fields[f"{PREFIX}crf"].help_text

    def test_what_holds_without_a_value_is_told(self) -> None:
        assert 'placeholder="Template: 20"' in str(form(template=TEMPLATE)[f"{PREFIX}crf"])
        assert "Default: h264" in str(form()[f"{PREFIX}codec"])
        assert "Default: jpeg (video), png (still)" in str(form()[f"{PREFIX}imageFormat"])

    def test_pages_know_where_an_option_applies(self) -> None:
        shown = str(form(template=TEMPLATE)[f"{PREFIX}crf"])
        assert 'data-kinds="video"' in shown
        assert 'data-codecs="h264 h265 vp8 vp9"' in shown
        assert 'data-default-codec="h265"' in str(form(template=TEMPLATE)[f"{PREFIX}codec"])

    def test_only_groups_with_a_value_or_a_mistake_are_open(self) -> None:
        filled = form({f"{PREFIX}crf": "20"})
        filled.add_option_errors({"muted": "No."})
        assert [group["title"] for group in filled.shown_groups() if group["is_open"]] == ["Picture", "Sound"]


class TestSent:
    def test_values_have_their_types(self) -> None:
        data = {
            "codec": "vp8", "crf": "20", "scale": "0.5", "muted": "true", "videoBitrate": "8M", "frameRange": "[0, 89]",
            "chromiumOptions": '{"darkMode": true}', "fileName": "7",
        }  # fmt: skip
        assert sent(data) == {
            "codec": "vp8", "crf": 20, "scale": 0.5, "muted": True, "videoBitrate": "8M", "frameRange": [0, 89],
            "chromiumOptions": {"darkMode": True}, "fileName": "7",
        }  # fmt: skip

    def test_what_is_empty_is_not_sent(self) -> None:
        assert sent({"codec": "", "crf": ""}) == {}

    def test_stored_options_go_through_the_form_unchanged(self) -> None:
        stored = validate_options(
            {"codec": "h264", "crf": 20, "muted": False, "frameRange": [0, 89], "metadata": {"title": "a"}},
            kind="video",
        )
        shown = form(**stored)
        assert sent({name: str(shown[PREFIX + name].value()) for name in stored}) == stored

    @pytest.mark.parametrize("text", ["many", "{", "1e999"])
    def test_what_cannot_be_read_is_left_to_the_tables_checks(self, text: str) -> None:
        assert sent({"crf": text}) == {"crf": text}


class TestErrors:
    def test_a_sentence_is_shown_beside_its_option(self) -> None:
        filled = form({}, template=TEMPLATE)
        filled.add_option_errors({"crf": "No.", "muted": "Not allowed."})
        assert filled.errors[f"{PREFIX}crf"] == ["No."]
        assert filled.non_field_errors() == ["muted: Not allowed."]


class TestOwnOptions:
    def test_they_are_those_that_the_template_does_not_give(self) -> None:
        stored = {"codec": "h265", "crf": 30, "muted": True}
        assert own_options(TEMPLATE, stored) == {"crf": 30}
        assert own_options(None, stored) == stored
