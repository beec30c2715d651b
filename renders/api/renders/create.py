"""Create a render from a request: the part that both create endpoints share."""

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from renders.api.renders.input import CreateRenderSerializer, IdempotencyKeySerializer
from renders.services.create import Created, create_render

REPLAYED = {"Idempotency-Replayed": "true"}


def create_from_request(request: Request, serializer: CreateRenderSerializer, *, may_wait: bool) -> Created:
    """Validate the body and the header ``Idempotency-Key``, and create the render. Raise ValidationError."""
    sent = request.headers.get("Idempotency-Key")
    key = IdempotencyKeySerializer(data={} if sent is None else {"key": sent})
    if not key.is_valid():
        raise ValidationError({"Idempotency-Key": key.errors["key"]})
    serializer.is_valid(raise_exception=True)
    return create_render(
        owner=request.user if request.user.is_authenticated else None,
        input_props=serializer.validated_data["inputProps"],
        priority=serializer.validated_data.get("priority", 0),
        idempotency_key=key.validated_data.get("key", ""),
        may_wait=may_wait,
    )
