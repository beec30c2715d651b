"""The form of a template: readable JSON, and what is wrong beside each field."""

import json
from typing import Any

from django import forms
from django.forms.fields import InvalidJSONInput
from unfold.widgets import UnfoldAdminTextInputWidget

from renders.models import Template
from renders.remotion.json import parse_json
from renders.services.errors import InvalidTemplate
from renders.services.templates.check import check_template

JSON_CLASSES = " font-mono max-w-4xl"
JSON_STYLE = "tab-size: 2; white-space: pre; overflow: auto"
CHANGED_MEANWHILE = "Somebody else, or a sync, has changed this template meanwhile: open it anew."


class PrettyJSONField(forms.JSONField):
    """JSON over several lines; what cannot be parsed is shown as it was typed."""

    def __init__(self, *, rows: int = 12, **options: Any) -> None:
        super().__init__(**{**options, "show_hidden_initial": False})
        classes = self.widget.attrs.get("class", "").replace("max-w-2xl", "") + JSON_CLASSES
        self.widget.attrs |= {"class": classes, "style": JSON_STYLE, "spellcheck": "false", "rows": rows}

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        try:
            return parse_json(value.encode(errors="surrogatepass"), replace=False)
        except ValueError as err:
            raise forms.ValidationError(f"This is no JSON that can be used: {err}.") from err

    def bound_data(self, data: Any, initial: Any) -> Any:
        return InvalidJSONInput(data or "")

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, InvalidJSONInput):
            return value
        return "" if value is None else json.dumps(value, indent=2, ensure_ascii=False)


class ShortJSONField(PrettyJSONField):
    def __init__(self, **options: Any) -> None:
        super().__init__(rows=4, **options)


class TemplateForm(forms.ModelForm):
    opened_version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    """The version that the page showed, so that a change made meanwhile is not undone unseen."""

    class Meta:
        model = Template
        fields = (
            "name",
            "title",
            "enabled",
            "site",
            "composition",
            "width",
            "height",
            "fps",
            "length",
            "duration_in_frames",
            "default_input_props",
            "input_schema",
            "input_schema_is_draft",
            "default_options",
            "allowed_options",
            "reuse",
        )
        field_classes = {
            "default_input_props": PrettyJSONField,
            "input_schema": PrettyJSONField,
            "default_options": ShortJSONField,
            "allowed_options": ShortJSONField,
        }
        widgets = {"site": UnfoldAdminTextInputWidget}
        labels = {
            "fps": "Frames a second",
            "input_schema_is_draft": "The schema is a draft",
            "duration_in_frames": "Length in frames",
            "default_input_props": "Default input props",
            "reuse": "Reuse earlier renders",
        }
        help_texts = {
            "name": "What a request says: letters, digits, hyphens and underscores. Clients know it, so keep it.",
            "title": "For people; a sync never changes it.",
            "input_schema": "JSON Schema (draft 2020-12) of the input props; empty: any object. Correct a draft: say"
            " what is required, which values are taken, and additionalProperties: false where no other prop is.",
            "input_schema_is_draft": "A draft refuses nothing. Clear this to confirm the schema: from then on a request"
            " that does not fit it is refused.",
            "allowed_options": 'Names such as ["codec", "scale"]: what a request may set. Empty: all; []: none.',
            "enabled": "Only an enabled template renders. A sync disables a template whose composition is gone.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "opened_version" in self.fields:
            self.fields["opened_version"].initial = self.instance.version

    def clean_default_input_props(self) -> Any:
        value = self.cleaned_data["default_input_props"]
        return {} if value is None else value

    def clean_default_options(self) -> Any:
        value = self.cleaned_data["default_options"]
        return {} if value is None else value

    def clean(self) -> None:
        super().clean()
        opened = self.cleaned_data.get("opened_version")
        if self.instance.pk and opened is not None and opened != self.instance.version:
            self.add_error(None, CHANGED_MEANWHILE)

    def _post_clean(self) -> None:
        """Set the fields of the instance, and say what ``check_template`` says about them."""
        super()._post_clean()  # type: ignore[misc]
        try:
            check_template(self.instance)
        except InvalidTemplate as err:
            for name, sentence in err.errors.items():
                if name not in self.errors:
                    self.add_error(name if name in self.fields else None, sentence)
