"""Create a batch from a request: each item is validated as the body of ``POST /api/renders/``."""

from collections.abc import Mapping
from typing import Any

from rest_framework.request import Request

from renders.api.batches.input import BatchItemSerializer
from renders.api.endpoint import Endpoint
from renders.api.errors import describe
from renders.api.renders.create import allowed_priority, allowed_request, idempotency_key, owner_of
from renders.remotion.errors import SetupError
from renders.services.batches.create import (
    BatchItem,
    CreatedBatch,
    ItemsInOrder,
    Result,
    create_batch,
    find_replayed,
)
from renders.services.fingerprint import fingerprint


def create_batch_from_request(view: Endpoint, request: Request) -> CreatedBatch:
    """Validate the body, the header ``Idempotency-Key`` and each item, and create the batch.

    An item that cannot be used is answered so in the batch's results. Raise what validation of the body raises,
    SetupError, and what ``create_batch`` raises.
    """
    bodies = view.validated_body()["renders"]
    owner = owner_of(request)
    key = {"idempotency_key": idempotency_key(request), "idempotency_fingerprint": fingerprint(bodies)}
    if first := find_replayed(owner=owner, **key):
        return CreatedBatch(first, is_replayed=True)
    items = ItemsInOrder(owner=owner)
    return create_batch(owner=owner, items=[_item(view, request, body, items) for body in bodies], **key)


def validated_item(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the validated body of one render. Raise ValidationError."""
    serializer = BatchItemSerializer(data=body)
    serializer.is_valid(raise_exception=True)
    valid: dict[str, Any] = serializer.validated_data
    return valid


def _item(view: Endpoint, request: Request, body: Mapping[str, Any], items: ItemsInOrder) -> BatchItem | Result:
    try:
        valid = validated_item(body)
        priority = allowed_priority(view, request, valid)
        return items.item(allowed_request(view, request, valid), priority=priority)
    except SetupError:
        raise  # it concerns all items
    except Exception as err:
        described = describe(err, {"request": request, "view": view})
        if described is None:
            raise
        return {"status": described.status, **described.body}
