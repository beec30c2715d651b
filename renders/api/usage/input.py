"""What comes in: the query of ``/api/usage/``."""

from datetime import UTC, timedelta
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from renders.api.input import QuerySerializer
from renders.services.usage.report import GroupBy

MAX_DAYS = 400
FORMATS = ("json", "csv")
NO_DATE = "Send a date such as 2026-11-25; days are in UTC."


def _choice(choices: list[str], default: str) -> serializers.ChoiceField:
    return serializers.ChoiceField(
        choices=choices, default=default, error_messages={"invalid_choice": f"Use one of {', '.join(choices)}."}
    )


def _day(help_text: str) -> serializers.DateField:
    return serializers.DateField(
        required=False,
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": NO_DATE, "datetime": NO_DATE},
        help_text=help_text,
    )


class UsageQuerySerializer(QuerySerializer):
    """Validates to ``from``, ``to``, ``groupBy``, ``format`` and perhaps ``owner``."""

    to = _day("The last day; today by default.")
    groupBy = _choice(list(GroupBy), GroupBy.DAY)  # noqa: N815
    format = _choice(list(FORMATS), "json")
    owner = serializers.CharField(required=False, max_length=150, help_text="A username; yours, unless you see all.")

    def get_fields(self) -> dict[str, Any]:
        # ``from`` is a keyword of Python.
        return {"from": _day("The first day; by default the first of the month of the last."), **super().get_fields()}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        last = attrs.setdefault("to", timezone.now().astimezone(UTC).date())
        first = attrs.setdefault("from", last.replace(day=1))
        if first > last:
            raise serializers.ValidationError({"from": [f"Send a day that is not after {last}, the last one."]})
        if last - first >= timedelta(days=MAX_DAYS):
            raise serializers.ValidationError({"from": [f"A report has {MAX_DAYS} days at most: send a later day."]})
        return attrs
