"""What comes in at the seed's endpoints."""

from rest_framework import serializers


class ProgressRequestSerializer(serializers.Serializer):
    id = serializers.CharField(max_length=255, help_text="The renderId.")
    bucketName = serializers.CharField(max_length=255)  # noqa: N815
