from typing import Any

import pytest

from renders.models import Template
from renders.services.errors import InvalidTemplate
from renders.services.templates.check import check_template, default_props_problem
from tests.factories import make_template

pytestmark = pytest.mark.django_db


def template(**fields: Any) -> Template:
    return Template(**{"name": "promo", "composition": "Promo", **fields})


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"site": "my-site", "title": "Promo 🙂"},
        {"site": "https://example.com/sites/a/index.html"},
        {"default_options": {"codec": "gif", "everyNthFrame": 2}, "allowed_options": ["codec", "imageFormat"]},
        {"default_options": {"imageFormat": "pdf"}, "allowed_options": []},
        {"default_options": {"chromiumOptions": {"disableWebSecurity": True}}},
        {"length": "fixed", "duration_in_frames": 150, "fps": 29.97, "width": 1, "height": 16_384},
        {"input_schema": {"required": ["title"]}, "default_input_props": {}},
        {"input_schema": {"properties": {"a": {"type": "string"}}}, "default_input_props": {"a": 5},
         "input_schema_is_draft": True},
    ],
)  # fmt: skip
def test_a_sound_template_is_taken(fields: dict[str, Any]) -> None:
    check_template(template(**fields))


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "Two words", "Enter a valid"),
        ("name", "", "This field cannot be blank."),
        ("name", "taken", "Template with this Name already exists."),
        ("name", "x" * 101, "Ensure this value has at most 100 characters"),
        ("site", "two words", "Use the name of a site"),
        ("site", "ftp://example.com", "Use the name of a site"),
        ("site", "https://", "Use the name of a site"),
        ("site", "https://a/" + "x" * 2000, "Use the name of a site"),
        ("composition", "Two words", "Use the composition's id"),
        ("composition", "../x", "Use the composition's id"),
        ("default_input_props", [], "Use a JSON object."),
        ("default_input_props", None, "Use a JSON object."),
        ("default_input_props", {"a": float("nan")}, "This JSON cannot be stored: NaN"),
        ("default_input_props", {"a": "\0"}, "This JSON cannot be stored: it has text with the character U+0000."),
        ("default_input_props", {"a": "\ud800"}, "This JSON cannot be stored: it has text with half of"),
        ("default_input_props", {"a": "x" * 1_000_000}, "They have at most 1,000,000 characters"),
        ("input_schema", [], "Use a JSON object."),
        ("input_schema", {"type": "text"}, 'type: "text" is not a type'),
        ("input_schema", {"$ref": "https://example.com/"}, '$ref: "https://example.com/" is no schema in this one'),
        ("input_schema", {"default": float("inf")}, "This JSON cannot be stored"),
        ("default_options", [], "Use a JSON object."),
        ("default_options", {"codec": "avi"}, "codec: "),
        ("default_options", {"outName": "x"}, "outName: It cannot be sent as an option."),
        ("default_options", {"crf": 18, "videoBitrate": "1M"}, "crf"),
        ("allowed_options", {}, "Use a list of names"),
        ("allowed_options", [1], "Use a list of names"),
        ("allowed_options", ["codec", "code"], "There is no option code."),
        ("allowed_options", ["codec", "codec"], "Name each option once."),
        ("length", "fixed", ""),
        ("length", "long", "Value 'long' is not a valid choice."),
        ("duration_in_frames", 0, "Use a whole number from 1"),
        ("fps", 0, "Use a number over 0 and up to 240."),
        ("fps", float("nan"), "Use a number over 0 and up to 240."),
        ("width", 0, "Use a whole number from 1 to 16,384."),
        ("height", 20_000, "Use a whole number from 1 to 16,384."),
    ],
)  # fmt: skip
def test_what_must_change_is_told_at_its_field(field: str, value: Any, sentence: str) -> None:
    make_template("taken")
    with pytest.raises(InvalidTemplate) as caught:
        check_template(template(**{field: value}))
    told = caught.value.errors
    if (field, value) == ("length", "fixed"):
        assert told == {"duration_in_frames": "A fixed length needs the number of frames."}
        return
    assert set(told) == {field}
    assert told[field].startswith(sentence)


def test_a_default_that_the_schema_refuses_is_told() -> None:
    schema = {"properties": {"a": {"type": "string"}, "b": {"required": ["c"]}}, "required": ["d"]}
    props: dict[str, Any] = {"a": "x", "b": {"c": 1}}
    assert default_props_problem(template(input_schema=schema, default_input_props=props)) == ""
    told = default_props_problem(template(input_schema=schema, default_input_props={**props, "b": {}}))
    assert told == "The schema refuses inputProps.b.c of the default input props: It is required."
    with pytest.raises(InvalidTemplate) as caught:
        check_template(template(input_schema=schema, default_input_props={"a": 1}))
    assert set(caught.value.errors) == {"default_input_props"}
