"""What comes in: webhook endpoints as JSON, and the parameters of their lists."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from renders.api.input import BodySerializer
from renders.api.pagination import PageQuerySerializer
from renders.api.renders.input import ExactBooleanField
from renders.models import Event, WebhookMessage
from renders.services.webhooks.urls import NO_URL

TYPES = ", ".join(Event.Type.values)
NO_TYPES = f"Send a list of types of events: {TYPES}."
NO_TIME = "Send a time with its zone, such as 2026-03-01T00:00:00Z."
NO_TEXT = "Send a string of at most 255 characters."
MAX_EVENTS = 50
EVENTS_SCHEMA = {"type": "array", "items": {"type": "string", "enum": Event.Type.values}, "maxItems": MAX_EVENTS}


class UrlField(serializers.CharField):
    """A URL; ``check_endpoint`` says whether it can be used."""

    default_error_messages = dict.fromkeys(("invalid", "null", "blank", "required"), NO_URL)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class DescriptionField(serializers.CharField):
    default_error_messages = dict.fromkeys(("invalid", "null", "max_length"), NO_TEXT)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field(EVENTS_SCHEMA)
class EventTypesField(serializers.Field):
    """Types of events, each a string; ``check_endpoint`` says whether they exist."""

    default_error_messages = dict.fromkeys(("invalid", "null"), NO_TYPES)

    def to_internal_value(self, data: Any) -> list[str]:
        if not isinstance(data, list) or len(data) > MAX_EVENTS or not all(isinstance(name, str) for name in data):
            self.fail("invalid")
        return data

    def to_representation(self, value: list[str]) -> list[str]:
        return value


class TimeField(serializers.DateTimeField):
    default_error_messages = dict.fromkeys(("invalid", "null", "required", "date", "make_aware", "overflow"), NO_TIME)

    def to_internal_value(self, data: Any) -> datetime:
        try:
            at = datetime.fromisoformat(data) if isinstance(data, str) else None
        except ValueError:
            at = None
        if at is None or timezone.is_naive(at):
            self.fail("invalid")
        return at


@extend_schema_serializer(component_name="WebhookEndpoint")
class UpdateEndpointSerializer(BodySerializer):
    """The fields to change."""

    url = UrlField(required=False, help_text="Where events are posted.")
    description = DescriptionField(required=False, allow_blank=True, max_length=255)
    events = EventTypesField(required=False, help_text="Types of the events it gets; empty: all but render.progressed.")
    enabled = ExactBooleanField(required=False)


@extend_schema_serializer(component_name="CreateWebhookEndpoint")
class CreateEndpointSerializer(UpdateEndpointSerializer):
    """A new webhook endpoint."""

    url = UrlField(help_text="Where events are posted.")


@extend_schema_serializer(component_name="ReplayFailed")
class ReplayFailedSerializer(BodySerializer):
    """Which failed messages are sent again."""

    since = TimeField(help_text="Failed messages that were made since then are sent again.")


class MessageListQuerySerializer(PageQuerySerializer):
    status = serializers.ChoiceField(
        choices=WebhookMessage.Status.values,
        required=False,
        error_messages={"invalid_choice": f"Use one of {', '.join(WebhookMessage.Status.values)}."},
    )
