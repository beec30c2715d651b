"""``"dryRun": true`` for a batch: what each of its renders would do, and all of them together."""

from functools import partial
from typing import Any

from rest_framework.request import Request

from renders.api.batches.create import validated_item
from renders.api.endpoint import Endpoint
from renders.api.renders.create import idempotency_key, owner_of
from renders.api.renders.dry_run import described, dry_run_of
from renders.services.dry_run import why_not_all


def dry_run_batch(view: Endpoint, request: Request) -> dict[str, Any]:
    """Return the dry run of each item in ``results``, beside the sums of those that are valid.

    ``errors`` has what refuses the batch as a whole. Raise what validation of the body raises.
    """
    bodies = view.validated_body()["renders"]
    idempotency_key(request)
    results = [dry_run_of(partial(validated_item, body), request, may_wait=True) for body in bodies]
    valid = [result for result in results if result.render and not result.errors]
    renders = [result.render for result in valid if result.render]
    refused = why_not_all(owner=owner_of(request), renders=renders) if renders else []
    costs = [result.estimated_cost for result in valid]
    known = [cost for cost in costs if cost is not None]
    return {
        "valid": len(valid) == len(results) and not refused,
        "errors": {"quota": refused} if refused else {},
        "slots": sum(render.slots_needed for render in renders),
        "estimatedCost": sum(known) if len(known) == len(costs) else None,
        "currency": valid[0].currency if valid else "",
        "results": [described(result) for result in results],
    }
