from time import thread_time
from typing import Any

import pytest

from renders.models import Template
from renders.services.errors import InvalidInputProps
from renders.services.json_schema.allowed import check_schema
from renders.services.templates.input_props import TOO_MUCH, input_props_errors, validate_input_props

TITLE = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
SCENE = {
    "oneOf": [
        {
            "type": "object",
            "properties": {"type": {"const": "video"}, "src": {"type": "string"}},
            "required": ["type", "src"],
        },
        {
            "type": "object",
            "properties": {"type": {"const": "text"}, "size": {"type": "integer"}},
            "required": ["type"],
        },
    ]
}


def errors(schema: dict[str, Any], value: Any) -> dict[str, str]:
    check_schema(schema)
    return input_props_errors(schema, value)


def of_prop(schema: Any, value: Any) -> dict[str, str]:
    """Return the errors of one prop by their path in it."""
    found = errors({"properties": {"p": schema}}, {"p": value})
    return {path.removeprefix("inputProps.p"): sentence for path, sentence in found.items()}


class TestValidateInputProps:
    def test_defaults_are_overridden_prop_by_prop(self) -> None:
        template = Template(default_input_props={"title": "a", "theme": {"dark": True, "size": 1}}, input_schema=TITLE)
        assert validate_input_props(template, {"theme": {"size": 2}}) == {"title": "a", "theme": {"size": 2}}
        assert template.default_input_props["theme"] == {"dark": True, "size": 1}

    def test_what_is_missing_or_wrong_is_told_at_its_path(self) -> None:
        template = Template(
            input_schema={
                "type": "object",
                "required": ["title"],
                "properties": {"title": {"description": "The headline"}, "scenes": {"items": SCENE}},
                "additionalProperties": False,
            }
        )
        sent = {"titel": 1, "scenes": [{"type": "text"}, {"type": "text", "size": 1.5}, {"type": "video"}]}
        with pytest.raises(InvalidInputProps) as caught:
            validate_input_props(template, sent)
        assert caught.value.errors == {
            "inputProps.title": "It is required: The headline.",
            "inputProps.titel": "Unknown prop. Did you mean title? The props here are title, scenes.",
            "inputProps.scenes[1].size": "Send a whole number.",
            "inputProps.scenes[2].src": "It is required.",
        }

    def test_a_draft_refuses_nothing(self) -> None:
        template = Template(input_schema=TITLE, input_schema_is_draft=True)
        assert validate_input_props(template, {"title": 5}) == {"title": 5}

    def test_without_a_schema_any_object_is_taken(self) -> None:
        assert validate_input_props(Template(), {"a": [1]}) == {"a": [1]}


@pytest.mark.parametrize(
    ("schema", "good", "bad", "sentence"),
    [
        ({"type": "string"}, "a", 5, "Send a string."),
        ({"type": "integer"}, 5.0, 5.5, "Send a whole number."),
        ({"type": "number"}, 5, True, "Send a number."),
        ({"type": ["string", "null"]}, None, [], "Send a string or null."),
        ({"enum": ["a", 1, {"b": 1}]}, {"b": 1.0}, True, 'Send one of "a", 1, this object.'),
        ({"enum": ["a", "b"]}, "a", "c", 'Send one of "a" or "b".'),
        ({"const": 1}, 1.0, True, "Send 1."),
        ({"minLength": 1}, "a", "", "Send at least 1 character."),
        ({"maxLength": 2}, "ab", "abc", "It has 3 characters; at most 2 are taken."),
        ({"minItems": 2}, [1, 2], [1], "Send at least 2 items."),
        ({"maxItems": 1}, [1], [1, 2], "It has 2 items; at most 1 are taken."),
        ({"minProperties": 1}, {"a": 1}, {}, "Send at least 1 prop."),
        ({"maxProperties": 0}, {}, {"a": 1}, "It has 1 prop; at most 0 are taken."),
        ({"minimum": 1}, 1, 0, "Send at least 1."),
        ({"maximum": 1.5}, 1.5, 2, "Send at most 1.5."),
        ({"exclusiveMinimum": 0}, 1, 0, "Send more than 0."),
        ({"exclusiveMaximum": 9}, 8, 9, "Send less than 9."),
        ({"multipleOf": 0.1}, 0.3, 0.35, "Send a multiple of 0.1."),
        ({"multipleOf": 3}, 10**400 - 1, 10**400, "Send a multiple of 3."),
        ({"pattern": "^#[0-9a-f]{6}$"}, "#00ff00", "#00ff00\n", "Send text that matches ^#[0-9a-f]{6}$."),
        ({"pattern": r"^\u00e9\p{L}$", "description": "Two letters."}, "éa", "e1",
         r"Send text that matches ^\u00e9\p{L}$: Two letters."),
        ({"uniqueItems": True}, [1, True, [1]], [{"a": 1, "b": 2}, 0, {"b": 2.0, "a": 1}],
         "Send each item once: items 0 and 2 are equal."),
        ({"prefixItems": [{}], "items": False}, [1], [1, 2], "Send at most 1 item."),
        ({"not": {"type": "string"}}, 1, "a", "This value is not taken."),
        ({"contains": {"type": "string"}}, ["a"], [1], "It lacks an item that the schema asks for."),
        ({"properties": {"a": {}}, "unevaluatedProperties": False}, {"a": 1}, {"b": 1},
         "It has props that the schema does not take."),
        ({"anyOf": [{"type": "string"}, {"type": "null"}, {"const": 1}]}, None, 2, "Send a string, null or 1."),
        ({"oneOf": [{"minimum": 1}, {"maximum": 2}]}, 5, 1,
         "It fits several of the forms that the schema allows: send one that fits only one."),
        ({"if": {"minimum": 5}, "then": {"multipleOf": 5}}, 10, 6, "Send a multiple of 5."),
    ],
)  # fmt: skip
def test_each_keyword_has_its_sentence(schema: Any, good: Any, bad: Any, sentence: str) -> None:
    assert of_prop(schema, good) == {}
    assert of_prop(schema, bad) == {"": sentence}


@pytest.mark.parametrize(
    ("schema", "bad", "expected"),
    [
        (False, 1, {"": "It is not taken here."}),
        ({"required": ["a"]}, {}, {".a": "It is required."}),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, {".b": "It is required together with a."}),
        ({"propertyNames": {"maxLength": 1}}, {"a": 1, "ab": 1},
         {".ab": "This name is not taken. It has 2 characters; at most 1 are taken."}),
        ({"patternProperties": {"^a": {"type": "string"}}, "additionalProperties": {"type": "null"}}, {"ab": 1, "b": 1},
         {".ab": "Send a string.", ".b": "Send null."}),
        ({"patternProperties": {"^a": {}}, "additionalProperties": False}, {"ab": 1, "my key": 1},
         {'["my key"]': "Unknown prop."}),
        (SCENE, {"type": "audio"}, {".type": 'Send "video" or "text".'}),
        (SCENE, 5, {"": "Send an object."}),
        (SCENE, {"type": "text", "size": "x"}, {".size": "Send a whole number."}),
    ],
)  # fmt: skip
def test_an_error_stands_at_the_value_that_must_change(schema: Any, bad: Any, expected: dict[str, str]) -> None:
    assert of_prop(schema, bad) == expected


class TestLimits:
    def test_a_reference_to_itself_checks_as_deep_as_a_body_may_be(self) -> None:
        schema = {
            "$defs": {"n": {"allOf": [{"properties": {"c": {"$ref": "#/$defs/n"}}}], "required": ["id"]}},
            "$ref": "#/$defs/n",
        }
        value: dict[str, Any] = {}
        for _ in range(99):
            value = {"c": value, "id": 1}
        assert list(errors(schema, value).values()) == ["It is required."]

    def test_exponential_time_is_cut_off(self) -> None:
        node = {"properties": {"c": {"allOf": [{"$ref": "#/$defs/n"}, {"$ref": "#/$defs/n"}]}}}
        value: dict[str, Any] = {}
        for _ in range(90):
            value = {"c": value}
        began = thread_time()
        assert errors({"$defs": {"n": node}, "$ref": "#/$defs/n"}, value) == {"inputProps": TOO_MUCH}
        assert thread_time() - began < 4

    @pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|aa)+$", "(.*)(.*)(.*)(.*)x$"])
    def test_no_pattern_hangs(self, pattern: str) -> None:
        began = thread_time()
        assert of_prop({"pattern": pattern}, "a" * 100_000 + "b") != {}
        assert thread_time() - began < 1

    def test_unique_items_take_linear_time(self) -> None:
        began = thread_time()
        assert of_prop({"uniqueItems": True}, [{"a": n} for n in range(50_000)]) == {}
        assert thread_time() - began < 2

    def test_what_is_told_is_limited(self) -> None:
        many = {f"{n}" + "x" * 5000: "y" * 5000 for n in range(1000)}
        found = errors({"additionalProperties": {"enum": ["z" * 5000]}, "minProperties": 9999}, many)
        assert 1 <= len(found) <= 20
        assert max(len(path) for path in found) <= 200
        assert max(len(sentence) for sentence in found.values()) <= 400
