"""What comes in: templates as JSON, and the parameters of their list."""

from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from renders.api.input import BodySerializer
from renders.api.pagination import PageQuerySerializer
from renders.models import Template

HELP = {field.name: str(field.help_text) for field in Template._meta.fields}


class TextField(serializers.CharField):
    default_error_messages = dict.fromkeys(("invalid", "null"), "Send a string.")

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_blank": True, "trim_whitespace": False, "required": False, **options})

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return data


class FlagField(serializers.BooleanField):
    default_error_messages = dict.fromkeys(("invalid", "null"), "Send true or false.")

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class NumberField(serializers.FloatField):
    """A number or null; ``check_template`` checks its range."""

    default_error_messages = {"invalid": "Send a number or null."}

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_null=True, required=False, **options)

    def to_internal_value(self, data: Any) -> float:
        if not isinstance(data, int | float) or isinstance(data, bool) or abs(data) > 1e9:
            self.fail("invalid")
        return data


@extend_schema_field({"type": "integer"})
class WholeNumberField(NumberField):
    default_error_messages = {"invalid": "Send a whole number or null."}

    def to_internal_value(self, data: Any) -> int:
        number = super().to_internal_value(data)
        if number != int(number):
            self.fail("invalid")
        return int(number)


class ValueField(serializers.JSONField):
    """Any JSON value; ``check_template`` checks it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, **options)


@extend_schema_serializer(component_name="Template")
class TemplateBodySerializer(BodySerializer):
    """The fields to change."""  # what each may be, ``check_template`` says

    name = TextField(help_text=HELP["name"])
    title = TextField()
    site = TextField(help_text=HELP["site"])
    composition = TextField(help_text=HELP["composition"])
    defaultInputProps = ValueField(source="default_input_props", help_text=HELP["default_input_props"])  # noqa: N815
    inputSchema = ValueField(source="input_schema", allow_null=True, help_text=HELP["input_schema"])  # noqa: N815
    inputSchemaIsDraft = FlagField(  # noqa: N815
        source="input_schema_is_draft", required=False, help_text=HELP["input_schema_is_draft"]
    )
    defaultOptions = ValueField(source="default_options", help_text=HELP["default_options"])  # noqa: N815
    allowedOptions = ValueField(  # noqa: N815
        source="allowed_options", allow_null=True, help_text=HELP["allowed_options"]
    )
    length = serializers.ChoiceField(
        choices=Template.Length.choices,
        required=False,
        error_messages={
            name: f"Use one of {', '.join(Template.Length.values)}." for name in ("invalid_choice", "null")
        },
    )
    durationInFrames = WholeNumberField(source="duration_in_frames", help_text=HELP["duration_in_frames"])  # noqa: N815
    fps = NumberField(help_text=HELP["fps"])
    width = WholeNumberField(help_text=HELP["width"])
    height = WholeNumberField(help_text=HELP["height"])
    reuse = FlagField(required=False, help_text=HELP["reuse"])
    enabled = FlagField(required=False)


@extend_schema_serializer(component_name="CreateTemplate")
class CreateTemplateSerializer(TemplateBodySerializer):
    """A new template."""

    name = TextField(required=True, help_text=HELP["name"])
    composition = TextField(required=True, help_text=HELP["composition"])


class TemplateListQuerySerializer(PageQuerySerializer):
    enabled = serializers.ChoiceField(
        choices=["true", "false"],
        required=False,
        help_text="false: those that are disabled; takes a permission.",
        error_messages={"invalid_choice": "Use true or false."},
    )
