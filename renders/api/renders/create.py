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
from renders.services.webhooks.endpoints import render_urls_endpoint

REPLAYED = {"Idempotency-Replayed": "true"}
NO_WEBHOOK = "Sign in to use webhookUrl: the secret that signs its messages is yours."
ASKED = {
    **{name: name for name in ("kind", "frame", "poster", "reuse", "metadata")},
    "externalId": "external_id",
    "uniqueExternalId": "unique_external_id",
    "webhookUrl": "webhook_url",
}
"""Fields of the body that a request is made with as they are: what each is called in RenderRequest."""

NO_PRIORITY = f"You need the permission {PRIORITY} for a priority over 0."


def create_from_request(view: Endpoint, request: Request, *, may_wait: bool) -> Created:
    """Validate the body and the header ``Idempotency-Key``, and create the render.

    Raise what validation raises, PermissionDenied or NotAuthenticated if the user may not give this
    priority, and what ``create_render`` raises.
    """
    body = view.validated_body()
    return create_render(
        owner=owner_of(request),
        priority=allowed_priority(view, request, body),
        request=allowed_request(view, request, body),
        idempotency_key=idempotency_key(request),
        may_wait=may_wait,
    )


def owner_of(request: Request) -> Any:
    """Return the user, or None if they are anonymous."""
    return request.user if request.user.is_authenticated else None


def may_give_priority(user: Any, priority: int | None) -> bool:
    """Return whether the user may ask for this priority; None is none."""
    return not priority or priority <= 0 or user.has_perm(PRIORITY)


def allowed_priority(view: Endpoint, request: Request, body: Mapping[str, Any]) -> int | None:
    """Return the priority that the body asks for. Raise PermissionDenied or NotAuthenticated if it is too high."""
    priority: int | None = body.get("priority")
    if not may_give_priority(request.user, priority):
        view.permission_denied(request, message=NO_PRIORITY)
    return priority


def allowed_request(view: Endpoint, request: Request, body: Mapping[str, Any]) -> RenderRequest:
    """Return what the body asks for. Raise what ``render_request`` raises, NotAuthenticated for a webhookUrl."""
    if body.get("webhookUrl"):
        if not request.user.is_authenticated:
            view.permission_denied(request, message=NO_WEBHOOK)
        render_urls_endpoint(request.user)  # its secret can be read from now on
    return render_request(body)


def render_request(body: Mapping[str, Any]) -> RenderRequest:
    """Return what the body asks for. Raise what ``templates.resolve`` and ``combine_options`` raise."""
    asked = {name: body[field] for field, name in ASKED.items() if field in body}
    asked["sent"] = {name: value for name, value in body.items() if name != "dryRun"}
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


def idempotency_key(request: Request) -> str:
    """Return the header; empty without one. Raise ValidationError."""
    sent = request.headers.get("Idempotency-Key")
    serializer = IdempotencyKeySerializer(data={} if sent is None else {"key": sent})
    if not serializer.is_valid():
        raise ValidationError({"Idempotency-Key": serializer.errors["key"]})
    key: str = serializer.validated_data.get("key", "")
    return key
