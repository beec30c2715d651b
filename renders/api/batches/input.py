"""What comes in: the body of ``POST /api/batches/``, and the parameters of the list."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from renders.api.input import BodySerializer
from renders.api.owner import OwnerField
from renders.api.pagination import PageQuerySerializer
from renders.api.renders.input import CreateQueuedRenderSerializer, ExactBooleanField
from renders.services.batches.create import MAX_RENDERS

NO_LIST = f"Send a list of 1 to {MAX_RENDERS} renders, each an object like the body of POST /api/renders/."


class RendersField(serializers.ListField):
    """The bodies, each of which is validated and answered on its own."""

    default_error_messages = dict.fromkeys(("not_a_list", "empty", "required", "null", "invalid"), NO_LIST)

    def __init__(self, **options: Any) -> None:
        super().__init__(child=serializers.JSONField(), max_length=MAX_RENDERS, **options)

    def to_internal_value(self, data: Any) -> list[Mapping[str, Any]]:
        if not isinstance(data, list) or not 1 <= len(data) <= MAX_RENDERS:
            self.fail("invalid")
        if not all(isinstance(item, Mapping) for item in data):
            self.fail("invalid")
        return data


class CreateBatchSerializer(BodySerializer):
    renders = RendersField(help_text=f"1 to {MAX_RENDERS} bodies of POST /api/renders/; each is answered on its own.")
    dryRun = ExactBooleanField(  # noqa: N815
        required=False, help_text="Only tell what the request would do: nothing is stored or rendered."
    )


class BatchItemSerializer(CreateQueuedRenderSerializer):
    """One of them: ``dryRun`` is for the whole batch."""

    dryRun = None  # type: ignore[assignment]  # noqa: N815


class BatchListQuerySerializer(PageQuerySerializer):
    owner = OwnerField()
