from typing import Any

import pytest

from renders.admin.renders.props_form import MAX_FIELDS, Group, PropsForm

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["title", "theme"],
    "properties": {
        "title": {"type": "string", "maxLength": 80},
        "theme": {"enum": ["light", "dark", 3, None]},
        "logo": {"type": "boolean"},
        "size": {"type": "integer", "minimum": 8},
        "scene": {"$ref": "#/$defs/scene"},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "$defs": {
        "scene": {
            "type": "object",
            "required": ["text"],
            "properties": {"text": {"type": "string"}, "dark": {"type": "boolean"}},
        }
    },
}


def form(data: dict[str, str] | None = None, **options: Any) -> PropsForm:
    return PropsForm(data, **{"schema": SCHEMA, "values": {}, **options})


def props(data: dict[str, str], **options: Any) -> dict[str, Any]:
    sent = form(data, **options)
    assert sent.errors == {}
    return sent.props()


def one(schema: Any, value: Any = None, **values: Any) -> PropsForm:
    """Return the form of one prop ``x``."""
    return PropsForm(schema={"type": "object", "properties": {"x": schema}}, values=values)


class TestFields:
    def test_each_type_has_its_field(self) -> None:
        kinds = {name: type(field).__name__ for name, field in form().fields.items()}
        assert kinds == {
            "props.title": "TextField",
            "props.theme": "ScalarChoiceField",
            "props.logo": "ScalarChoiceField",
            "props.size": "NumberField",
            "props.scene.text": "TextField",
            "props.scene.dark": "ScalarChoiceField",
            "props.tags": "JsonField",
            "props_others": "JsonField",
        }

    def test_what_must_be_filled_in_is_marked(self) -> None:
        marked = form(values={"theme": "dark"})
        required = [name for name in marked.fields if 'aria-required="true"' in str(marked[name])]
        assert required == ["props.title"]

    def test_a_nested_object_is_a_group(self) -> None:
        (group,) = [child for child in form().root.children if isinstance(child, Group)]
        assert [leaf.path for leaf in group.leaves()] == [("scene", "text"), ("scene", "dark")]

    @pytest.mark.parametrize(
        ("schema", "values", "kind"),
        [
            ({"type": "string"}, {}, "TextField"),
            ({"type": ["string", "null"]}, {"x": None}, "TextField"),
            ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {}, "TextField"),
            ({"anyOf": [{"type": "string"}, {"type": "number"}]}, {}, "JsonField"),
            ({"type": ["string", "number"]}, {}, "JsonField"),
            ({"type": "number"}, {"x": "auto"}, "JsonField"),
            ({"type": "number"}, {"x": True}, "JsonField"),
            ({"type": "boolean"}, {"x": False}, "SwitchField"),
            ({"type": ["boolean", "null"]}, {"x": False}, "ScalarChoiceField"),
            ({"enum": ["a"]}, {"x": "b"}, "JsonField"),
            ({"enum": [["a"], "b"]}, {}, "JsonField"),
            ({"const": "a"}, {}, "ScalarChoiceField"),
            ({"type": "object"}, {}, "JsonField"),
            ({"type": "object", "properties": {"y": {}}}, {"x": {"z": 1}}, "JsonField"),
            ({"type": "object", "properties": {"y": {}}, "oneOf": [{}, {}]}, {}, "JsonField"),
            (True, {}, "JsonField"),
        ],
    )
    def test_json_says_what_no_field_can(self, schema: Any, values: dict[str, Any], kind: str) -> None:
        assert type(one(schema, **values).fields["props.x"]).__name__ == kind

    def test_an_object_is_never_deeper_than_four_levels_of_fields(self) -> None:
        schema: dict[str, Any] = {"type": "string"}
        for _ in range(6):
            schema = {"type": "object", "properties": {"a": schema}}
        (name, *_) = PropsForm(schema=schema, values={}).fields
        assert name == "props.a.a.a.a"
        assert type(PropsForm(schema=schema, values={}).fields[name]).__name__ == "JsonField"

    def test_a_schema_that_refers_to_itself_ends(self) -> None:
        schema = {"type": "object", "properties": {"next": {"$ref": "#"}, "text": {"type": "string"}}}
        names = list(form(schema=schema).fields)
        assert names[0] == "props.next.next.next.next"
        assert len(names) == 6

    def test_too_many_fields_are_one_for_json(self) -> None:
        many = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(MAX_FIELDS + 10)}}
        assert list(form(schema=many).fields) == ["props"]

    @pytest.mark.parametrize("schema", [None, {}, {"type": ["object", "string"]}, {"oneOf": [{}, {}]}])
    def test_a_schema_without_props_is_one_field_for_json(self, schema: Any) -> None:
        asked = form(schema=schema, values={"a": 1})
        assert list(asked.fields) == ["props"]
        assert asked.fields["props"].initial == '{\n  "a": 1\n}'

    def test_the_help_says_what_the_author_and_the_limits_say(self) -> None:
        schema = {"type": "integer", "minimum": 1, "maximum": 12_000, "title": "length", "description": "How long"}
        field = one(schema).fields["props.x"]
        assert (field.label, field.help_text) == (
            "Length",
            "How long. A whole number, 1 to 12,000. In the input props: x.",
        )

    def test_names_that_html_cannot_have_are_numbered(self) -> None:
        schema = {"type": "object", "properties": {'a "b"': {"type": "string"}}}
        sent = form({"props.~0": "x"}, schema=schema)
        assert sent.is_valid()
        assert sent.props() == {'a "b"': "x"}


class TestProps:
    def test_values_have_their_types(self) -> None:
        data = {
            "props.title": " Sale\r\n",
            "props.theme": "3",
            "props.logo": "false",
            "props.size": "12",
            "props.scene.text": "a",
            "props.scene.dark": "true",
            "props.tags": '["a"]',
            "props_others": '{"more": 1.5}',
        }
        assert props(data) == {
            "title": " Sale\n",
            "theme": 3,
            "logo": False,
            "size": 12,
            "scene": {"text": "a", "dark": True},
            "tags": ["a"],
            "more": 1.5,
        }

    def test_what_is_left_empty_is_not_sent(self) -> None:
        assert props({}) == {}
        assert props({"props.scene.text": "", "props.size": "", "props.theme": ""}) == {}

    def test_a_string_that_had_a_value_can_be_emptied(self) -> None:
        assert props({"props.title": ""}, values={"title": "Sale"}) == {"title": ""}

    def test_what_was_null_can_stay_so(self) -> None:
        schema = {
            "type": "object",
            "properties": {"a": {"type": ["string", "null"]}, "b": {"type": ["number", "null"]}},
        }
        assert props({"props.a": "", "props.b": ""}, schema=schema, values={"a": None, "b": 1}) == {
            "a": None,
            "b": None,
        }

    def test_a_switch_that_is_off_is_false(self) -> None:
        assert props({}, values={"logo": True}) == {"logo": False}
        assert props({"props.logo": "on"}, values={"logo": False}) == {"logo": True}

    def test_values_go_through_the_form_unchanged(self) -> None:
        values: dict[str, Any] = {
            "title": "é\n  \"'<b>",
            "theme": None,
            "logo": True,
            "size": 9,
            "scene": {"text": "", "dark": False},
            "tags": [None, {"a": []}],
            "unknown": {"b": 1e-7},
        }
        assert props(form(values=values).shown_data(), values=values) == values

    def test_props_that_the_schema_does_not_name_have_no_field_where_it_takes_none(self) -> None:
        strict = {**SCHEMA, "additionalProperties": False}
        assert "props_others" not in form(schema=strict).fields
        assert "props_others" in form(schema=strict, values={"old": 1}).fields

    @pytest.mark.parametrize(
        ("name", "value", "sentence"),
        [
            ("props.size", "many", "Send a number."),
            ("props.size", "true", "Send a number."),
            ("props.size", "1e999", "Send a number."),
            ("props.size", "NaN", "Send a number."),
            ("props.tags", "[", "This is no JSON that can be used: "),
            ("props.tags", '"\\u0000"', "This is no JSON that can be used: it has text with the character U+0000."),
            ("props.title", "\0", "Null characters are not allowed."),
            ("props.theme", '"blue"', "Select a valid choice."),
            ("props_others", "[1]", "Send a JSON object."),
        ],
    )
    def test_a_mistake_is_told_beside_its_field(self, name: str, value: str, sentence: str) -> None:
        sent = form({name: value})
        assert list(sent.errors) == [name]
        assert str(sent.errors[name][0]).startswith(sentence)

    @pytest.mark.parametrize("value", ["", "{}"])
    def test_json_without_props_is_none(self, value: str) -> None:
        assert props({"props": value}, as_json=True) == {}


class TestErrors:
    @pytest.mark.parametrize(
        ("path", "name", "sentence"),
        [
            ("inputProps.title", "props.title", "No."),
            ("inputProps.scene.text", "props.scene.text", "No."),
            ("inputProps.tags[2]", "props.tags", "[2]: No."),
            ("inputProps.titles", "props_others", "titles: No."),
            ("inputProps.scene", "props_others", "scene: No."),
            ("inputProps", "props_others", "No."),
        ],
    )
    def test_a_sentence_is_shown_beside_the_field_of_its_path(self, path: str, name: str, sentence: str) -> None:
        sent = form({})
        assert sent.is_valid()
        sent.add_prop_errors({path: "No."})
        assert {key: list(map(str, value)) for key, value in sent.errors.items()} == {name: [sentence]}

    def test_without_a_field_it_is_shown_above_all(self) -> None:
        sent = form({}, schema={**SCHEMA, "additionalProperties": False})
        assert sent.is_valid()
        sent.add_prop_errors({"inputProps.other": "No."})
        assert sent.non_field_errors() == ["other: No."]
