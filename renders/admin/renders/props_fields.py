"""Form fields whose clean value is a JSON value: those of input props and of options."""

import json
from collections.abc import Sequence
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminExpandableTextareaWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from renders.remotion.json import parse_json

OMITTED: Any = object()
"""The value of a field that was left empty: the prop is not sent."""

NO_NUMBER = "Send a number."


class TextField(forms.CharField):
    """A string, kept as it was typed: on one line (``rows`` 0), on as many as it has (1), or in an editor for code."""

    def __init__(self, *, empty_value: Any, rows: int, **options: Any) -> None:
        widget = code_editor(rows=rows) if rows > 1 else _growing() if rows else UnfoldAdminTextInputWidget()
        # Not checked for its length here: the schema has the sentence.
        super().__init__(required=False, strip=False, empty_value=empty_value, widget=widget, **options)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        # A browser sends each line feed as two characters.
        return text.replace("\r\n", "\n") if isinstance(text, str) else text


class NumberField(forms.CharField):
    """A number as JSON writes it; its range is the schema's to check."""

    def __init__(self, *, empty_value: Any, **options: Any) -> None:
        widget = UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "class": "start-number"})
        super().__init__(required=False, empty_value=empty_value, widget=widget, **options)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return number_of(text) if isinstance(text, str) else text


class ScalarChoiceField(forms.TypedChoiceField):
    """One of several values, which may be of different types."""

    def __init__(self, values: Sequence[Any], *, empty_label: str | None, **options: Any) -> None:
        empty = [] if empty_label is None else [("", empty_label)]
        choices = [*empty, *((json.dumps(value), _shown(value)) for value in values)]
        super().__init__(
            choices=choices,
            coerce=json.loads,
            empty_value=OMITTED,
            required=False,
            widget=UnfoldAdminSelectWidget(),
            **options,
        )


class SwitchField(forms.BooleanField):
    """True or false."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, widget=UnfoldBooleanWidget(), **options)


class JsonField(forms.CharField):
    """Any JSON value, as text."""

    def __init__(self, *, rows: int = 6, **options: Any) -> None:
        super().__init__(required=False, empty_value=OMITTED, widget=code_editor(rows=rows, language="json"), **options)

    def to_python(self, value: Any) -> Any:
        text: Any = super().to_python(value)
        if text is OMITTED:
            return OMITTED
        try:
            return parse_json(text.encode(errors="surrogatepass"), replace=False)
        except ValueError as err:
            raise forms.ValidationError(f"This is no JSON that can be used: {err}.") from err


def code_editor(*, rows: int, language: str = "") -> forms.Textarea:
    """Return a text area for code; ``start.js`` helps with indentation, and checks JSON while it is typed."""
    attrs = {
        "class": "start-code",
        "rows": rows,
        "spellcheck": "false",
        "autocapitalize": "off",
        "autocomplete": "off",
        "wrap": "off",
        "data-editor": language or "code",
    }
    return UnfoldAdminTextareaWidget(attrs=attrs)


def _growing() -> forms.Textarea:
    widget = UnfoldAdminExpandableTextareaWidget()
    widget.attrs["rows"] = 1
    return widget


def number_of(text: str) -> int | float:
    """Return the number that a text is. Raise ValidationError."""
    try:
        number = parse_json(text.encode(errors="surrogatepass"), replace=False)
    except ValueError:
        number = None
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise forms.ValidationError(NO_NUMBER)
    return number


def as_text(value: Any) -> str:
    """Return a JSON value as a field for JSON shows it."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
