"""The form of input props, made from the JSON Schema of a template."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.forms.boundfield import BoundField

from renders.admin.renders.props_fields import (
    OMITTED,
    JsonField,
    NumberField,
    ScalarChoiceField,
    SwitchField,
    TextField,
    as_text,
)
from renders.admin.renders.props_schema import MISSING, PropSchema, read_schema, same_choice
from renders.services.templates.input_props import ROOT, json_path

MAX_FIELDS = 150
MAX_LEVELS = 4
WHOLE, OTHERS = "props", "props_others"
"""Names of the fields for all input props as JSON, and for those that the schema does not name."""

PLAIN = re.compile(r"[A-Za-z0-9_-]+")
CODE_PROPS, CODE_ROWS = ("code",), 14

Path = tuple[str, ...]


@dataclass
class Leaf:
    """One field of the form."""

    name: str
    path: Path
    is_required: bool = False
    bound: BoundField | None = None


@dataclass
class Group:
    """An object whose props have fields of their own."""

    path: Path
    title: str = ""
    help_text: str = ""
    is_sent: bool = True
    """Sent even if all fields are empty."""
    children: list["Leaf | Group"] = field(default_factory=list)

    def leaves(self) -> Iterator[Leaf]:
        for child in self.children:
            if isinstance(child, Leaf):
                yield child
            else:
                yield from child.leaves()


class PropsForm(forms.Form):
    """Fields for the input props that a schema describes, and JSON for the others.

    ``values`` are shown at first. A prop whose field is left empty is not sent, so that the template's default
    stands; a string that had a value becomes an empty one. With ``as_json``, one field has all of them.
    """

    def __init__(
        self,
        *args: Any,
        schema: dict[str, Any] | None,
        values: Mapping[str, Any],
        as_json: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self._schema = schema or {}
        self.root = Group(())
        whole = read_schema(self._schema, self._schema, MISSING)
        has_fields = whole.kind == "object" and not as_json
        if has_fields:
            self._add_group(self.root, whole, dict(values), levels=MAX_LEVELS)
        is_too_large = len(self.fields) > MAX_FIELDS
        self.is_json = not has_fields or is_too_large
        self.may_switch = whole.kind == "object" and not is_too_large
        """Whether there are both ways: fields, and JSON."""
        if self.is_json:
            self._replace_by_json(values)
        else:
            self._add_others(whole, values)
        for leaf in self.root.leaves():
            leaf.bound = self[leaf.name]

    def props(self) -> dict[str, Any]:
        """Return the input props, without those of fields that have errors."""
        if self.is_json:
            whole = self.cleaned_data.get(WHOLE, OMITTED)
            return {} if whole is OMITTED else whole
        others = self.cleaned_data.get(OTHERS, OMITTED)
        return {**(_value(self.root, self.cleaned_data) or {}), **({} if others is OMITTED else others)}

    def shown_data(self) -> dict[str, str]:
        """Return what a browser would send if nothing were changed in the form, which is not bound."""
        initial = {name: field.initial for name, field in self.fields.items()}
        return {name: "on" if value is True else value for name, value in initial.items() if value}

    def clean(self) -> None:
        for name in (WHOLE, OTHERS):
            if not isinstance(self.cleaned_data.get(name, {}), dict) and self.cleaned_data[name] is not OMITTED:
                self.add_error(name, "Send a JSON object.")

    def add_prop_errors(self, errors: Mapping[str, str]) -> None:
        """Show each sentence beside the field of its path, such as ``inputProps.scenes[2].title``.

        If some fields could not be read, only what is wrong with others is shown: what those lack is no mistake.
        """
        unread = set(self.errors)
        names = {json_path(leaf.path): leaf.name for leaf in self.root.leaves() if leaf.path}
        for path, sentence in errors.items():
            near = max((known for known in names if _is_in(path, known)), key=len, default="")
            name = names.get(near) or next((name for name in (OTHERS, WHOLE) if name in self.fields), None)
            if unread and (not near or name in unread):
                continue
            place = path.removeprefix(near or ROOT).removeprefix(".")
            self.add_error(name, f"{place}: {sentence}" if place else sentence)

    def _add_group(self, group: Group, schema: PropSchema, value: dict[str, Any], *, levels: int) -> None:
        for name, inner in schema.properties.items():
            if inner is False or len(self.fields) > MAX_FIELDS:
                continue
            prop_value = value.get(name, inner.get("default", MISSING) if isinstance(inner, dict) else MISSING)
            prop = read_schema(inner, self._schema, prop_value)
            path, is_required = (*group.path, name), name in schema.required
            if prop.kind == "object" and levels > 1:
                is_sent = group.is_sent and (is_required or prop_value is not MISSING)
                child = Group(path, prop.title(name), prop.help_text(name), is_sent)
                inner_values: dict[str, Any] = {} if prop_value is MISSING else prop_value
                self._add_group(child, prop, inner_values, levels=levels - 1)
                group.children.append(child)
                continue
            leaf = Leaf(self._field_name(path), path, is_required and prop_value is MISSING and group.is_sent)
            self.fields[leaf.name] = _field(
                prop, name, prop_value, is_required=is_required, is_sent=group.is_sent, is_top=not group.path
            )
            if leaf.is_required:
                self.fields[leaf.name].widget.attrs["aria-required"] = "true"
            group.children.append(leaf)

    def _add_others(self, schema: PropSchema, values: Mapping[str, Any]) -> None:
        others = {name: value for name, value in values.items() if name not in schema.properties}
        if schema.schema.get("additionalProperties") is False and not others:
            return
        text = as_text(others) if others else ""
        help_text = "Further input props, as a JSON object."
        self.fields[OTHERS] = JsonField(rows=3, label="Other input props", help_text=help_text, initial=text)
        self.root.children.append(Leaf(OTHERS, ()))

    def _replace_by_json(self, values: Mapping[str, Any]) -> None:
        help_text = "A JSON object. What it leaves out has the template's default."
        self.fields = {
            WHOLE: JsonField(rows=16, label="Input props", help_text=help_text, initial=as_text(dict(values)))
        }
        self.root = Group((), children=[Leaf(WHOLE, ())])

    def _field_name(self, path: Path) -> str:
        """Return the name of the field in HTML: an id without white space can be made of it."""
        is_plain = all(PLAIN.fullmatch(name) for name in path)
        return f"props.{'.'.join(path)}" if is_plain else f"props.~{len(self.fields)}"


def _field(prop: PropSchema, name: str, value: Any, *, is_required: bool, is_sent: bool, is_top: bool) -> forms.Field:
    has_value = value is not MISSING
    shown: dict[str, Any] = {"label": prop.title(name), "help_text": prop.help_text(name)}
    null = None if prop.is_nullable and has_value else OMITTED
    if prop.kind == "boolean" and not prop.is_nullable and is_sent and (has_value or is_required):
        return SwitchField(initial=has_value and value, **shown)
    if prop.kind in ("boolean", "choice"):
        choices = prop.choices or [True, False, *([None] if prop.is_nullable else [])]
        empty = None if has_value else "Choose" if is_required else "Not sent"
        return ScalarChoiceField(
            choices, empty_label=empty, initial=same_choice(value, choices) if has_value else "", **shown
        )
    if prop.kind == "string":
        empty_value = null if prop.is_nullable else "" if has_value else OMITTED
        text = value if has_value and value is not None else ""
        rows = CODE_ROWS if is_top and name in CODE_PROPS else 0 if prop.is_line and "\n" not in text else 1
        return TextField(empty_value=empty_value, rows=rows, initial=text, **shown)
    if prop.kind == "number":
        initial = as_text(value) if has_value and value is not None else ""
        return NumberField(empty_value=null, initial=initial, **shown)
    return JsonField(initial=as_text(value) if has_value else "", **shown)


def _value(node: Leaf | Group, cleaned: Mapping[str, Any]) -> Any:
    """Return the value of a field, or of a group of them; OMITTED if it is not sent."""
    if isinstance(node, Leaf):
        return cleaned.get(node.name, OMITTED)
    found = {child.path[-1]: _value(child, cleaned) for child in node.children if child.path}
    sent = {name: value for name, value in found.items() if value is not OMITTED}
    return sent if sent or node.is_sent else OMITTED


def _is_in(path: str, known: str) -> bool:
    return path == known or path.startswith((f"{known}.", f"{known}["))
