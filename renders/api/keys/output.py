"""API keys as JSON; the secret is not stored, so no answer has it."""

from django.utils import timezone
from rest_framework import serializers

from renders.models import ApiKey

EXAMPLE_KEY = {
    "id": "rhub_1f0c9a7e5b3",
    "name": "shop",
    "scopes": ["renders:read", "renders:write"],
    "createdAt": "2026-01-31T12:00:00Z",
    "expiresAt": None,
    "lastUsedAt": "2026-01-31T12:00:00Z",
    "isExpired": False,
}


class ApiKeySerializer(serializers.ModelSerializer):
    """An API key, without its secret."""

    openapi_example = EXAMPLE_KEY

    id = serializers.CharField(source="token_key", help_text="The beginning of the key.")
    scopes = serializers.ListField(child=serializers.CharField(), help_text="Empty: whatever the user may do.")
    createdAt = serializers.DateTimeField(source="created")  # noqa: N815
    expiresAt = serializers.DateTimeField(source="expiry")  # noqa: N815
    lastUsedAt = serializers.DateTimeField(source="last_used_at")  # noqa: N815
    isExpired = serializers.SerializerMethodField()  # noqa: N815

    class Meta:
        model = ApiKey
        fields = ["id", "name", "scopes", "createdAt", "expiresAt", "lastUsedAt", "isExpired"]
        read_only_fields = fields

    def get_isExpired(self, key: ApiKey) -> bool:  # noqa: N802
        return key.expiry is not None and key.expiry <= timezone.now()
