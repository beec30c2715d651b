"""What comes in at the seed's endpoints."""

import uuid
from typing import Any

from rest_framework import serializers

from renders.api.input import BodySerializer

BUCKET_MISSING = "Send the bucketName too: only our own id, a UUID, goes without."


class ProgressRequestSerializer(BodySerializer):
    """Validates to the fields of Render that find it."""

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
