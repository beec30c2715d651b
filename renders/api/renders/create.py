"""Create a render from a request: the part that both create endpoints share."""

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from renders.api.auth import PRIORITY
from renders.api.endpoint import Endpoint
from renders.api.renders.input import IdempotencyKeySerializer
from renders.services.create import Created, create_render

REPLAYED = {"Idempotency-Replayed": "true"}
NO_PRIORITY = f"You need the permission {PRIORITY} for a priority over 0."


def create_from_request(view: Endpoint, request: Request, *, may_wait: bool) -> Created:
    """Validate the body and the header ``Idempotency-Key``, and create the render.

    Raise what validation raises, PermissionDenied or NotAuthenticated if the user may not give this
    priority, and what ``create_render`` raises.
    """
    body = view.validated_body()
    priority = body.get("priority", 0)
    if priority > 0 and not request.user.has_perm(PRIORITY):
        view.permission_denied(request, message=NO_PRIORITY)
    return create_render(
        owner=request.user if request.user.is_authenticated else None,
        input_props=body["inputProps"],
        priority=priority,
        idempotency_key=_idempotency_key(request),
        may_wait=may_wait,
    )


def _idempotency_key(request: Request) -> str:
    """Return the header; empty without one. Raise ValidationError."""
    sent = request.headers.get("Idempotency-Key")
    serializer = IdempotencyKeySerializer(data={} if sent is None else {"key": sent})
    if not serializer.is_valid():
        raise ValidationError({"Idempotency-Key": serializer.errors["key"]})
    key: str = serializer.validated_data.get("key", "")
    return key
