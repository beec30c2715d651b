from typing import Any

import pytest

from renders.services.json_schema.allowed import DIALECT, MAX_DEPTH, MAX_LENGTH, InvalidSchema, check_schema


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(depth):
        schema = {"items": schema}
    return schema


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object", "properties": {"title": {"type": "string", "maxLength": 80}}, "required": ["title"]},
        {"$schema": DIALECT, "$id": "https://example.com/promo.json"},
        {"$defs": {"scene": {"properties": {"next": {"$ref": "#/$defs/scene"}}}}, "$ref": "#/$defs/scene"},
        {"properties": {"tree": {"$ref": "#"}}},
        {"$defs": {"a/b~c d": {}}, "$ref": "#/$defs/a~1b~0c%20d"},
        {"properties": {"a": {"$ref": "#/properties/b"}, "b": {"type": "string"}}},
        {"const": {"$ref": "https://example.com/"}, "default": {"$id": "x"}, "enum": [{"$anchor": "y"}]},
        {"properties": {"$ref": {"type": "string"}, "$id": {"pattern": r"^\p{L}+\u00e9\/$"}}},
        nested(MAX_DEPTH - 1),
    ],
)
def test_a_usable_schema_is_taken(schema: dict[str, Any]) -> None:
    check_schema(schema)


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        (True, "A schema is an object"),
        ([], "A schema is an object"),
        ({"type": "text"}, 'type: "text" is not a type: use string, number'),
        ({"properties": {"title": {"minLength": -1}}}, "properties.title.minLength: -1 is less than"),
        ({"properties": {"title": 5}}, "properties.title: 5 is not of the type object or boolean."),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "$schema: Only draft 2020-12 is taken"),
        ({"$schema": 5}, "$schema: Only draft 2020-12 is taken"),
        ({"items": {"$schema": "http://json-schema.org/draft-07/schema#"}}, "items.$schema: Only the schema itself"),
        ({"x": "a" * MAX_LENGTH}, "A schema has at most 100,000 characters"),
        (nested(MAX_DEPTH), "A schema is nested at most 50 levels deep"),
    ],
)
def test_an_unusable_one_is_refused_with_its_place(schema: Any, sentence: str) -> None:
    with pytest.raises(InvalidSchema) as caught:
        check_schema(schema)
    assert str(caught.value).startswith(sentence)
    assert len(str(caught.value)) <= 300


@pytest.mark.parametrize(
    "reference",
    ["https://example.com/schema.json", "other.json", "#scene", "file:///etc/passwd", DIALECT, "#/$defs/none",
     "#/const", "#/properties", ""],
)  # fmt: skip
def test_a_reference_leads_to_a_schema_in_the_same_one(reference: str) -> None:
    schema = {"$defs": {"scene": {}}, "const": {}, "properties": {"a": {"$ref": reference}}}
    with pytest.raises(InvalidSchema, match=r"^properties\.a\.\$ref: .* is no schema in this one"):
        check_schema(schema)


@pytest.mark.parametrize("keyword", ["$id", "$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveRef"])
def test_what_changes_the_meaning_of_a_reference_is_refused(keyword: str) -> None:
    with pytest.raises(InvalidSchema) as caught:
        check_schema({"properties": {"a": {keyword: "a"}}})
    assert str(caught.value).startswith(f"properties.a.{keyword}: ")


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"anyOf": [{}, {"$ref": "#/$defs/a"}]}}},
        {"$defs": {"a": {"not": {"$ref": "#/$defs/a"}}}},
        {"properties": {"a": {"dependentSchemas": {"b": {"$ref": "#/properties/a"}}}}},
    ],
)
def test_a_schema_that_never_ends_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(InvalidSchema, match="checking it would never end"):
        check_schema(schema)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(", "missing )"),
        ("(?=a)b", "Look-ahead"),
        (r"(a)\1", "invalid escape"),
        ("a{2000}", "Use minLength"),
        ("((a{1000}){1000}){1000}", "Use minLength"),
    ],
)
@pytest.mark.parametrize("keyword", ["pattern", "patternProperties"])
def test_a_pattern_that_cannot_be_matched_in_linear_time_is_refused(keyword: str, pattern: str, reason: str) -> None:
    with pytest.raises(InvalidSchema) as caught:
        check_schema({"items": {keyword: pattern if keyword == "pattern" else {pattern: {}}}})
    assert str(caught.value).startswith(f"items.{keyword}")
    assert reason in str(caught.value)


def test_a_long_pattern_is_refused() -> None:
    with pytest.raises(InvalidSchema, match=r"^pattern: A pattern has at most 1,000 characters\.$"):
        check_schema({"pattern": "a" * 1001})


def test_python_never_matches_a_pattern_of_a_schema() -> None:
    with pytest.raises(InvalidSchema, match="unevaluatedProperties does not go with patternProperties"):
        check_schema({"allOf": [{"patternProperties": {"^(a+)+$": {}}}], "unevaluatedProperties": False})
