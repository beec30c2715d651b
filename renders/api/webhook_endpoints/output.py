"""What goes out: webhook endpoints, their messages and attempts as JSON."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from renders.models import WebhookAttempt, WebhookEndpoint, WebhookMessage
from renders.services.webhooks.body import message_data
from renders.services.webhooks.secrets import secret_of


@extend_schema_serializer(component_name="WebhookEndpoint")
class EndpointSerializer(serializers.ModelSerializer):
    """An endpoint, without its secret."""

    isForRenderUrls = serializers.BooleanField(source="is_for_render_urls")  # noqa: N815
    disabledReason = serializers.CharField(source="disabled_reason")  # noqa: N815
    failingSince = serializers.DateTimeField(source="failing_since")  # noqa: N815
    previousSecretUntil = serializers.SerializerMethodField()  # noqa: N815
    createdAt = serializers.DateTimeField(source="created_at")  # noqa: N815

    class Meta:
        model = WebhookEndpoint
        fields = [
            "id",
            "url",
            "isForRenderUrls",
            "description",
            "events",
            "enabled",
            "disabledReason",
            "failingSince",
            "previousSecretUntil",
            "createdAt",
        ]
        read_only_fields = fields

    def get_previousSecretUntil(self, endpoint: WebhookEndpoint) -> datetime | None:  # noqa: N802
        """Return until when the previous secret signs too; None if it does not any more."""
        until = endpoint.previous_secret_until
        return until if until and until > timezone.now() else None


@extend_schema_serializer(component_name="WebhookEndpointWithSecret")
class EndpointWithSecretSerializer(EndpointSerializer):
    """What creating an endpoint and rotating its secret answer."""

    secret = serializers.SerializerMethodField()

    class Meta(EndpointSerializer.Meta):
        fields = [*EndpointSerializer.Meta.fields, "secret"]
        read_only_fields = fields

    def get_secret(self, endpoint: WebhookEndpoint) -> str:
        return secret_of(endpoint)


@extend_schema_serializer(component_name="WebhookAttempt")
class AttemptSerializer(serializers.ModelSerializer):
    """One request, and its answer."""

    durationMs = serializers.IntegerField(source="duration_ms")  # noqa: N815
    statusCode = serializers.IntegerField(source="status_code")  # noqa: N815

    class Meta:
        model = WebhookAttempt
        fields = ["at", "durationMs", "statusCode", "answer", "error"]
        read_only_fields = fields


@extend_schema_serializer(component_name="WebhookMessage")
class MessageSerializer(serializers.ModelSerializer):
    """A message with all its attempts, the newest first."""

    id = serializers.CharField(source="__str__", help_text="The header webhook-id.")
    eventId = serializers.IntegerField(source="event_id")  # noqa: N815
    render = serializers.UUIDField(source="render_id", help_text="Our id of the render.")
    attemptCount = serializers.IntegerField(source="attempt_count")  # noqa: N815
    nextAttemptAt = serializers.SerializerMethodField()  # noqa: N815
    createdAt = serializers.DateTimeField(source="created_at")  # noqa: N815
    finishedAt = serializers.DateTimeField(source="finished_at")  # noqa: N815
    body = serializers.SerializerMethodField()
    attempts = AttemptSerializer(many=True)

    class Meta:
        model = WebhookMessage
        fields = [
            "id",
            "type",
            "eventId",
            "render",
            "url",
            "status",
            "attemptCount",
            "nextAttemptAt",
            "createdAt",
            "finishedAt",
            "body",
            "attempts",
        ]
        read_only_fields = fields

    def get_nextAttemptAt(self, message: WebhookMessage) -> datetime | None:  # noqa: N802
        return message.next_attempt_at if message.status == WebhookMessage.Status.PENDING else None

    def get_body(self, message: WebhookMessage) -> dict[str, Any]:
        return message_data(message)
