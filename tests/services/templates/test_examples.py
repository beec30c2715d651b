from typing import Any

import pytest

from renders.models import Template
from renders.services.json_schema.allowed import check_schema
from renders.services.templates.draft import draft_schema
from renders.services.templates.examples import example_body
from renders.services.templates.input_props import validate_input_props


def example(**fields: Any) -> dict[str, Any]:
    """Return the example's input props, which the template takes."""
    template = Template(name="promo", **fields)
    if template.input_schema is not None:
        check_schema(template.input_schema)
    body = example_body(template)
    assert body == {"template": "promo", "inputProps": body["inputProps"]}
    validate_input_props(template, body["inputProps"])
    props: dict[str, Any] = body["inputProps"]
    return props


def test_it_shows_the_defaults() -> None:
    props = {"title": "a", "theme": {"dark": True}}
    assert example(default_input_props=props) == props
    assert example(default_input_props=props, input_schema=draft_schema(props), input_schema_is_draft=True) == props


def test_a_composition_of_one_frame_is_rendered_as_a_still() -> None:
    template = Template(name="card", duration_in_frames=1)
    assert example_body(template) == {"template": "card", "inputProps": {}, "kind": "still"}


def test_it_leaves_out_long_defaults() -> None:
    props = {"title": "a", "logo": "data:" + "x" * 5000, **{f"p{n}": "y" * 900 for n in range(9)}}
    assert list(example(default_input_props=props)) == ["title", "p0", "p1", "p2", "p3"]


def test_a_length_that_the_request_must_give_is_shown() -> None:
    assert example(length=Template.Length.INPUT_PROPS) == {"durationInFrames": 150}
    props = {"durationInFrames": 90}
    assert example(length=Template.Length.INPUT_PROPS, default_input_props=props) == props


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, "Text"),
        ({}, "Text"),
        ({"type": "string", "minLength": 6}, "Text……"),
        ({"type": "string", "format": "email"}, "ada@example.com"),
        ({"type": "string", "pattern": "^#", "examples": ["#fff"]}, "#fff"),
        ({"type": "string", "pattern": "^#", "default": "#000"}, "#000"),
        ({"enum": ["a", "b"]}, "a"),
        ({"const": None}, None),
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "number", "maximum": -1}, -1),
        ({"type": "boolean"}, True),
        ({"type": ["null", "string"]}, None),
        ({"type": "array", "items": {"type": "number"}, "minItems": 2}, [1, 1]),
        ({"type": "object", "required": ["a"], "properties": {"a": {"type": "number"}, "b": {}}}, {"a": 1}),
        ({"anyOf": [{"type": "number"}, {"type": "null"}]}, 1),
        ({"$ref": "#/$defs/size"}, 7),
        ({"$ref": "#/$defs/tree"}, {"left": None}),
    ],
)
def test_a_required_prop_without_a_default_is_made_up(schema: dict[str, Any], value: Any) -> None:
    tree = {
        "type": "object",
        "required": ["left"],
        "properties": {"left": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/tree"}]}},
    }
    root = {
        "required": ["p"],
        "properties": {"p": schema, "other": {"type": "number"}},
        "$defs": {"size": {"type": "integer", "minimum": 7}, "tree": tree},
    }
    assert example(input_schema=root) == {"p": value}


def test_an_example_of_the_schema_comes_first_if_it_is_taken() -> None:
    schema = {"properties": {"n": {"type": "number"}}, "required": ["n"], "examples": [5, {"n": "x"}, {"n": 7}]}
    assert example(input_schema=schema, default_input_props={"title": "a"}) == {"title": "a", "n": 7}


def test_what_nobody_can_make_up_is_shown_by_its_type() -> None:
    template = Template(name="promo", input_schema={"required": ["p"], "properties": {"p": {"pattern": "^[0-9]{9}$"}}})
    assert example_body(template)["inputProps"] == {"p": "Text"}


def test_a_schema_without_end_has_an_example() -> None:
    schema = {
        "required": ["p"],
        "properties": {"p": {"type": "object", "required": ["p"], "properties": {"p": {"$ref": "#/properties/p"}}}},
    }
    check_schema(schema)
    assert "p" in example_body(Template(name="promo", input_schema=schema))["inputProps"]
