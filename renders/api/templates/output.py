"""What goes out: templates as JSON."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from renders.api.output import ObjectField
from renders.api.templates.examples import EXAMPLE_IN_A_LIST, EXAMPLE_TEMPLATE
from renders.models import Template
from renders.services.templates.examples import example_body


@extend_schema_serializer(component_name="TemplateInList")
class TemplateSerializer(serializers.ModelSerializer):
    """One template in the list. Its site is shown to those who may see all templates."""

    openapi_example = EXAMPLE_IN_A_LIST

    site = serializers.CharField(required=False, help_text="Only for those who may see all templates.")
    durationInFrames = serializers.IntegerField(source="duration_in_frames")  # noqa: N815
    inputSchemaIsDraft = serializers.BooleanField(source="input_schema_is_draft")  # noqa: N815
    allowedOptions = serializers.ListField(source="allowed_options", child=serializers.CharField())  # noqa: N815
    updatedAt = serializers.DateTimeField(source="updated_at")  # noqa: N815

    class Meta:
        model = Template
        fields = [
            "name",
            "title",
            "composition",
            "site",
            "version",
            "width",
            "height",
            "fps",
            "length",
            "durationInFrames",
            "inputSchemaIsDraft",
            "allowedOptions",
            "reuse",
            "enabled",
            "updatedAt",
        ]
        read_only_fields = fields

    def to_representation(self, instance: Template) -> dict[str, Any]:
        shown: dict[str, Any] = super().to_representation(instance)
        if not self.context["may_see_all"]:
            del shown["site"]
        return shown


@extend_schema_serializer(component_name="Template")
class TemplateDetailSerializer(TemplateSerializer):
    """One template, with its schema and defaults, and a body that ``POST /api/renders/`` takes."""

    openapi_example = EXAMPLE_TEMPLATE

    inputSchema = ObjectField(source="input_schema")  # noqa: N815
    defaultInputProps = ObjectField(source="default_input_props")  # noqa: N815
    defaultOptions = ObjectField(source="default_options")  # noqa: N815
    example = serializers.SerializerMethodField()

    class Meta(TemplateSerializer.Meta):
        fields = [
            *TemplateSerializer.Meta.fields,
            "inputSchema",
            "defaultInputProps",
            "defaultOptions",
            "example",
        ]
        read_only_fields = fields

    def get_example(self, template: Template) -> dict[str, Any]:
        return example_body(template)
