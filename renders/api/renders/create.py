"""Create a render from a request: the part that both create endpoints share."""

from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from renders.api.auth import PRIORITY
from renders.api.endpoint import Endpoint
from renders.api.renders.input import IdempotencyKeySerializer
from renders.models import Render
from renders.remotion.options import combine_options
from renders.services.create import Created, create_render
from renders.services.render_request import RenderRequest
from renders.services.templates import merge_options, resolve, validate_input_props

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
        request=_render_request(body),
        priority=priority,
        idempotency_key=_idempotency_key(request),
        may_wait=may_wait,
    )


def _render_request(body: Mapping[str, Any]) -> RenderRequest:
    """Return what the body asks for. Raise what ``templates.resolve`` and ``combine_options`` raise."""
    asked = {name: body[name] for name in ("kind", "frame", "poster", "reuse") if name in body} | {"sent": body}
    kind = body.get("kind", Render.Kind.VIDEO)
    if "template" not in body:
        options = combine_options({}, body.get("options", {}), kind=kind)
        return RenderRequest(input_props=body["inputProps"], options=options, **asked)
    template = resolve(body["template"])
    return RenderRequest(
        template=template,
        input_props=validate_input_props(template, body["inputProps"]),
        options=merge_options(template, body["options"], kind=kind),
        **{"reuse": template.reuse, **asked},
    )


def _idempotency_key(request: Request) -> str:
    """Return the header; empty without one. Raise ValidationError."""
    sent = request.headers.get("Idempotency-Key")
    serializer = IdempotencyKeySerializer(data={} if sent is None else {"key": sent})
    if not serializer.is_valid():
        raise ValidationError({"Idempotency-Key": serializer.errors["key"]})
    key: str = serializer.validated_data.get("key", "")
    return key
