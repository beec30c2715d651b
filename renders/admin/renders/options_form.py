"""The form of a render's options, made from the one table of options."""

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from renders.admin.renders.props_fields import as_text, code_editor
from renders.models import Template
from renders.remotion.codecs import CODECS
from renders.remotion.json import parse_json
from renders.remotion.option import VIDEO, Option
from renders.remotion.option_table import HOW_IT_RUNS, OUTPUT, PICTURE, SOUND, WHAT_IS_MADE

GROUPS: Mapping[str, tuple[Option, ...]] = {
    "What is made": WHAT_IS_MADE,
    "Picture": PICTURE,
    "Sound": SOUND,
    "How it runs": HOW_IT_RUNS,
    "The file": OUTPUT,
}
PREFIX = "options."


class OptionField(forms.CharField):
    """The value of one option; whether it is allowed, the table's checks say."""

    def __init__(self, options: list[Option], *, default: Any) -> None:
        self.options = options
        self.kinds = sorted({kind for option in options for kind in option.kinds}, reverse=True)
        schema = options[0].schema
        self.type = schema.get("type", "")
        self.values = list(dict.fromkeys(value for option in options for value in option.schema.get("enum", ())))
        super().__init__(
            required=False,
            label=options[0].name,
            help_text=" ".join(_help_text(option) for option in options),
            widget=self._widget(default),
        )

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text or self.type == "string":
            return text or None
        try:
            return parse_json(text.encode(errors="surrogatepass"), replace=False)
        except ValueError:
            return text  # which no such option takes

    def _widget(self, default: Any) -> forms.Widget:
        shown = _shown_default(self.options, default)
        values = ["true", "false"] if self.type == "boolean" else self.values
        if values:
            choices = [("", shown or "Not set"), *((value, value) for value in values)]
            return UnfoldAdminSelectWidget(choices=choices)
        if self.type == "object":
            return code_editor(rows=3, language="json")
        return UnfoldAdminTextInputWidget(attrs={"placeholder": shown, "autocomplete": "off"})


class OptionsForm(forms.Form):
    """The options that a request may set. An empty field leaves it to the template, or to Remotion."""

    def __init__(self, *args: Any, template: Template | None, values: Mapping[str, Any], **options: Any) -> None:
        super().__init__(*args, **options)
        self._defaults = template.default_options if template else {}
        allowed = template.allowed_options if template else None
        self.groups: list[tuple[str, list[str]]] = []
        for title, group in GROUPS.items():
            named: dict[str, list[Option]] = {}
            for option in group:
                if allowed is None or option.name in allowed:
                    named.setdefault(option.name, []).append(option)
            for name, same in named.items():
                self._add(name, same, values)
            if named:
                self.groups.append((title, [PREFIX + name for name in named]))

    def sent(self) -> dict[str, Any]:
        """Return the options that are set."""
        return {
            name.removeprefix(PREFIX): value
            for name, value in self.cleaned_data.items()
            if value is not None and name.startswith(PREFIX)
        }

    def add_option_errors(self, errors: Mapping[str, str]) -> None:
        """Show each sentence beside the field of its option."""
        for name, sentence in errors.items():
            is_shown = PREFIX + name in self.fields
            self.add_error(PREFIX + name if is_shown else None, sentence if is_shown else f"{name}: {sentence}")

    def shown_groups(self) -> list[dict[str, Any]]:
        """Return the groups for the page, each open if something in it is set, or wrong."""
        groups = []
        for title, names in self.groups:
            fields = [self[name] for name in names]
            set_ones = [bound.field.label for bound in fields if bound.value()]
            has_errors = any(bound.errors for bound in fields)
            groups.append({"title": title, "fields": fields, "set": set_ones, "is_open": has_errors or bool(set_ones)})
        return groups

    def _add(self, name: str, options: list[Option], values: Mapping[str, Any]) -> None:
        field = OptionField(options, default=self._defaults.get(name))
        if name in values:
            field.initial = as_text(values[name]) if field.type == "object" else _plain(values[name])
        field.widget.attrs |= _when_shown(options, self._defaults)
        self.fields[PREFIX + name] = field


def own_options(template: Template | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of a render's stored options that its template does not give: what the request had set."""
    if template is None:
        return dict(options)
    allowed, defaults = template.allowed_options, template.default_options
    return {
        name: value
        for name, value in options.items()
        if (allowed is None or name in allowed) and defaults.get(name) != value
    }


def _when_shown(options: list[Option], defaults: Mapping[str, Any]) -> dict[str, str]:
    """Return for which kinds and codecs ``start.js`` shows the field."""
    kinds = sorted({kind for option in options for kind in option.kinds})
    codecs = {codec for option in options if VIDEO in option.kinds for codec in option.codecs}
    attrs = {"data-kinds": " ".join(kinds)}
    if codecs and len(codecs) < len(CODECS):
        attrs["data-codecs"] = " ".join(codec for codec in CODECS if codec in codecs)
    if options[0].name == "codec":
        attrs["data-default-codec"] = str(defaults.get("codec") or options[0].default)
    return attrs


def _help_text(option: Option) -> str:
    schema = option.schema
    parts = [option.description]
    if "minimum" in schema:
        parts.append(f"{schema['minimum']:,} to {schema['maximum']:,}.")
    elif "enum" not in schema and schema.get("type") != "boolean":
        parts.append(option.sentence)
    if VIDEO in option.kinds and len(option.codecs) < len(CODECS) and option.name != "codec":
        parts.append(f"Codecs: {', '.join(option.codecs)}.")
    return " ".join(parts)


def _shown_default(options: list[Option], default: Any) -> str:
    """Return what holds if the field is left empty."""
    if default is not None:
        return f"Template: {_plain(default)}"
    known = [option for option in options if option.default is not None]
    if len(known) > 1:
        return f"Default: {', '.join(f'{_plain(option.default)} ({option.kinds[0]})' for option in known)}"
    return f"Default: {_plain(known[0].default)}" if known else ""


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
