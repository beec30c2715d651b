"""What comes in at the seed's endpoints."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from renders.api.input import BodySerializer
from renders.api.renders.input import CreateRenderSerializer, ObjectField, TemplateNameField
from renders.services.templates.lookup import MAX_NAME_LENGTH, find_for_composition

BUCKET_MISSING = "Send the bucketName too: only our own id, a UUID, goes without."


class RenderRequestSerializer(CreateRenderSerializer):
    """A video of the default template."""  # or, with LAMBDA_API_ENVELOPE=remotion, of the composition ``id``

    def get_fields(self) -> dict[str, serializers.Field]:
        fields: dict[str, serializers.Field] = super().get_fields()
        if settings.LAMBDA_API_ENVELOPE == "remotion":
            fields["id"] = TemplateNameField(
                required=False,
                max_length=MAX_NAME_LENGTH,
                help_text="Id of a composition that a template renders, or a template's name; else the default one.",
            )
        return fields

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        template = self._template(data) if "id" in self.fields and isinstance(data, Mapping) else ""
        if template:
            self.fields["inputProps"] = ObjectField()
        body = super().to_internal_value(data)
        body.pop("id", None)
        return {**body, "template": template, "options": {}} if template else body

    def _template(self, data: Mapping[str, Any]) -> str:
        """Return the name of the template for ``id``, empty for the default one. One that there is not is kept."""
        asked = data.get("id")
        if not isinstance(asked, str) or not asked:
            return ""  # refused with the other fields
        if template := find_for_composition(asked):
            return template.name
        return "" if asked == settings.REMOTION_COMPOSITION else asked


@extend_schema_serializer(component_name="Progress")
class ProgressRequestSerializer(BodySerializer):
    """Which render."""  # validates to the fields of Render that find it

    id = serializers.CharField(max_length=255, help_text="Our id, or Remotion's renderId.")
    bucketName = serializers.CharField(  # noqa: N815
        max_length=255, required=False, allow_blank=True, help_text="Required with a renderId."
    )

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        sent = super().to_internal_value(data)
        bucket_name = {"bucket_name": sent["bucketName"]} if sent.get("bucketName") else {}
        try:
            return {"pk": uuid.UUID(sent["id"]), **bucket_name}
        except ValueError:
            if not bucket_name:
                raise serializers.ValidationError({"bucketName": [BUCKET_MISSING]}) from None
            return {"render_id": sent["id"], **bucket_name}
