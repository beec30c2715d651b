"""``"dryRun": true``: tell what a request would do, wherever a render can be created."""

from collections.abc import Callable, Mapping
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from renders.api.endpoint import Endpoint
from renders.api.errors import of_a_field
from renders.api.renders.create import NO_PRIORITY, idempotency_key, may_give_priority, owner_of, render_request
from renders.remotion.errors import InvalidOptions
from renders.services.dry_run import DryRun, dry_run
from renders.services.errors import InvalidRequest, TemplateDisabled, TemplateUnknown

OF_A_FIELD = (ValidationError, InvalidOptions, InvalidRequest, TemplateUnknown, TemplateDisabled)


def is_dry_run(request: Request) -> bool:
    """Return whether the body asks for a dry run. Raise ParseError if it cannot be read."""
    body = request.data
    return isinstance(body, dict) and body.get("dryRun") is True


def dry_run_from_request(view: Endpoint, request: Request, *, may_wait: bool) -> dict[str, Any]:
    """Return what the request would do, as JSON; what it would be refused for is in ``errors``."""

    def validated() -> Mapping[str, Any]:
        body = view.validated_body()
        idempotency_key(request)
        return body

    return described(dry_run_of(validated, request, may_wait=may_wait))


def dry_run_of(validated: Callable[[], Mapping[str, Any]], request: Request, *, may_wait: bool) -> DryRun:
    """Return what one render would do, of which ``validated`` returns the body, or raises what is wrong with it."""
    try:
        body = validated()
        priority = body.get("priority")
        result = dry_run(owner=owner_of(request), request=render_request(body), may_wait=may_wait, priority=priority)
    except OF_A_FIELD as err:
        answer = of_a_field(err)
        return DryRun(errors=answer.detail if isinstance(answer, ValidationError) else {})  # type: ignore[arg-type]
    if not may_give_priority(request.user, priority):
        result.errors.setdefault("priority", []).insert(0, NO_PRIORITY)
    return result


def described(result: DryRun) -> dict[str, Any]:
    """Return a dry run as JSON."""
    return {
        "valid": not result.errors,
        "errors": result.errors,
        "warnings": result.warnings,
        "slots": result.render.slots_needed if result.render else None,
        "estimatedCost": result.estimated_cost,
        "currency": result.currency,
    }
