"""What every endpoint asks of its input: no name that it does not know."""

from collections.abc import Mapping
from difflib import get_close_matches
from itertools import islice
from typing import Any, cast

from django.http import QueryDict
from rest_framework import serializers

MAX_UNKNOWN_NAMES = 10
MAX_NAME_LENGTH = 100


class BodySerializer(serializers.Serializer):
    """The fields of a request's body. Without any declared, the body must be empty or ``{}``."""

    noun = "field"

    def to_internal_value(self, data: Mapping[str, Any]) -> dict[str, Any]:
        unknown = islice((name for name in data if name not in self.fields), MAX_UNKNOWN_NAMES)
        errors: dict[str, Any] = {name[:MAX_NAME_LENGTH]: [self._unknown(name)] for name in unknown}
        try:
            value: dict[str, Any] = super().to_internal_value(data)
        except serializers.ValidationError as err:
            raise serializers.ValidationError({**errors, **err.detail}) from err  # type: ignore[dict-item]
        if errors:
            raise serializers.ValidationError(errors)
        return value

    def _unknown(self, name: str) -> serializers.ErrorDetail:
        known = list(self.fields)
        near = get_close_matches(name[:MAX_NAME_LENGTH], known, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        has = f"The {self.noun}s here are {', '.join(known)}." if known else f"There are no {self.noun}s here."
        return serializers.ErrorDetail(f"Unknown {self.noun}.{hint} {has}", code=f"unknown_{self.noun}")


class QuerySerializer(BodySerializer):
    """The parameters of a request's query, each sent once at most."""

    noun = "parameter"

    def to_internal_value(self, data: Mapping[str, Any]) -> dict[str, Any]:
        query = cast("QueryDict", data)
        repeated = {name: ["Send this parameter once."] for name, values in query.lists() if len(values) > 1}
        if repeated:
            raise serializers.ValidationError(repeated)
        # A dict, because DRF takes an empty value in a QueryDict as none at all.
        return super().to_internal_value(query.dict())
