"""The parameters of ``GET /api/renders/``."""

from typing import Any

from rest_framework import serializers

from renders.api.owner import OwnerField
from renders.api.pagination import PageQuerySerializer
from renders.models import Render

ONE_STATUS = f"Use one of {', '.join(Render.Status.values)}, or several with commas between them."
NO_TIME = "Send a time in ISO 8601, for example 2026-01-31T12:00:00Z; write the + of an offset as %2B."


class StatusesField(serializers.CharField):
    """One status, or several with commas between them; validates to a tuple without repetitions."""

    default_error_messages = {"blank": ONE_STATUS}

    def to_internal_value(self, data: Any) -> Any:
        statuses = tuple(dict.fromkeys(super().to_internal_value(data).split(",")))
        if not set(statuses) <= set(Render.Status.values):
            raise serializers.ValidationError([ONE_STATUS])
        return statuses


class MetadataPairField(serializers.CharField):
    """``key:value``; validates to both."""

    default_error_messages = {"pair": "Send a key and its value, for example metadata=shop:berlin."}

    def to_internal_value(self, data: Any) -> Any:
        key, colon, value = super().to_internal_value(data).partition(":")
        if not colon or not key:
            self.fail("pair")
        return key, value


class TimeField(serializers.DateTimeField):
    default_error_messages = dict.fromkeys(("invalid", "date", "make_aware", "overflow"), NO_TIME)


class RenderListQuerySerializer(PageQuerySerializer):
    """``filters.SERVED`` says which of these go together."""

    status = StatusesField(
        required=False, help_text=f"One or several of {', '.join(Render.Status.values)}: with commas between them."
    )
    template = serializers.CharField(required=False, help_text="Name of a template.")
    kind = serializers.ChoiceField(
        choices=Render.Kind.choices,
        required=False,
        error_messages={"invalid_choice": f"Use one of {', '.join(Render.Kind.values)}."},
    )
    metadata = MetadataPairField(required=False, trim_whitespace=False, help_text="key:value.")
    externalId = serializers.CharField(required=False, trim_whitespace=False)  # noqa: N815
    stalled = serializers.ChoiceField(
        choices=["true"],
        required=False,
        help_text="true: those that are rendering without progress.",
        error_messages={"invalid_choice": "Use true, or leave it out."},
    )
    batch = serializers.UUIDField(required=False, help_text="The id of a batch.")
    owner = OwnerField()
    createdAfter = TimeField(required=False, help_text="Created then or later.")  # noqa: N815
    createdBefore = TimeField(required=False, help_text="Created before then.")  # noqa: N815
    finishedAfter = TimeField(required=False, help_text="Ended then or later.")  # noqa: N815
    finishedBefore = TimeField(required=False, help_text="Ended before then.")  # noqa: N815
