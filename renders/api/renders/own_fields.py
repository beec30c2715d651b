"""Fields with which owners mark their renders: ``metadata`` and ``externalId``."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from renders.services.own_fields import MAX_EXTERNAL_ID, MAX_KEY, MAX_PAIRS, MAX_VALUE


class MetadataField(serializers.DictField):
    """Pairs of strings. A key has no colon, because ``metadata=key:value`` finds renders by it."""

    child = serializers.CharField(allow_blank=True, trim_whitespace=False, max_length=MAX_VALUE)
    default_error_messages = {
        "not_a_dict": 'Send an object of strings, for example {{"shop": "berlin"}}.',
        "null": 'Send an object of strings, for example {{"shop": "berlin"}}.',
        "too_many": "It has {count:,} pairs; at most {most} are taken.",
        "key": "A key has 1 to {longest} characters and no colon.",
        "not_text": "Send a string of at most {longest} characters.",
    }

    def to_internal_value(self, data: Any) -> dict[str, str]:
        if not isinstance(data, Mapping):
            self.fail("not_a_dict")
        if len(data) > MAX_PAIRS:
            self.fail("too_many", count=len(data), most=MAX_PAIRS)
        if any(not 1 <= len(key) <= MAX_KEY or ":" in key for key in data):
            self.fail("key", longest=MAX_KEY)
        wrong = [key for key, value in data.items() if not isinstance(value, str) or len(value) > MAX_VALUE]
        if wrong:
            message = self.error_messages["not_text"].format(longest=MAX_VALUE)
            raise serializers.ValidationError({key: [message] for key in wrong})
        return dict(data)


class ExternalIdField(serializers.CharField):
    default_error_messages = dict.fromkeys(
        ("invalid", "blank", "null", "max_length"), f"Send a string of 1 to {MAX_EXTERNAL_ID} characters."
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MAX_EXTERNAL_ID, trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return data
