from typing import Any

import pytest

from renders.services.json_schema.allowed import check_schema
from renders.services.templates.draft import draft_schema
from renders.services.templates.input_props import input_props_errors


def drafted(value: Any) -> dict[str, Any]:
    schema: dict[str, Any] = draft_schema({"p": value})["properties"]["p"]
    return schema


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        ("a", {"type": "string"}),
        (True, {"type": "boolean"}),
        (30, {"type": "number"}),
        (29.97, {"type": "number"}),
        (None, {}),
        ({}, {"type": "object"}),
        ([], {"type": "array"}),
        (["a", "b"], {"type": "array", "items": {"type": "string"}}),
        (["a", 1], {"type": "array", "items": {"type": ["string", "number"]}}),
        (["a", None], {"type": "array"}),
        (
            {"a": {"b": 1}},
            {"type": "object", "properties": {"a": {"type": "object", "properties": {"b": {"type": "number"}}}}},
        ),
        (
            [{"a": 1}, {"a": "x", "b": True}],
            {"type": "array", "items": {"type": "object",
             "properties": {"a": {"type": ["number", "string"]}, "b": {"type": "boolean"}}}},
        ),
        ([[1], ["a"]], {"type": "array", "items": {"type": "array"}}),
        ({"$ref": "#/none", "": 1},
         {"type": "object", "properties": {"$ref": {"type": "string"}, "": {"type": "number"}}}),
    ],
)  # fmt: skip
def test_the_types_are_those_of_the_defaults(value: Any, schema: dict[str, Any]) -> None:
    assert drafted(value) == schema


def test_a_length_in_frames_is_whole() -> None:
    draft = draft_schema({"durationInFrames": 150.0, "fps": 30})
    assert draft["properties"] == {"durationInFrames": {"type": "integer", "minimum": 1}, "fps": {"type": "number"}}
    assert draft_schema({"durationInFrames": None})["properties"] == {"durationInFrames": {}}


def test_it_requires_nothing_and_takes_further_props() -> None:
    draft = draft_schema({"title": "a"})
    assert input_props_errors(draft, {}) == {}
    assert input_props_errors(draft, {"subtitle": 1}) == {}
    assert input_props_errors(draft, {"title": 1}) == {"inputProps.title": "Send a string."}


def deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"a": value, "b": [value]}
    return value


@pytest.mark.parametrize(
    "props",
    [
        {},
        deep(12),
        {f"prop{n}": {f"inner{m}": {f"leaf{k}": 1 for k in range(9)} for m in range(9)} for n in range(300)},
        {"points": [{"x": n, "y": str(n)} for n in range(10_000)]},
        {"x" * 200_000: 1},
    ],
)
def test_a_draft_is_always_a_schema_that_takes_the_defaults(props: dict[str, Any]) -> None:
    draft = draft_schema(props)
    check_schema(draft)
    assert input_props_errors(draft, props) == {}
