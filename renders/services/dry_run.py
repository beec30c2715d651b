"""Say what a request would do, without storing anything or calling AWS."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.conf import settings

from renders.models import Quota, Render
from renders.remotion.target import LambdaTarget
from renders.services.admission import has_free_slots
from renders.services.create import new_render, require_new_external_id
from renders.services.errors import ExternalIdExists, PriorityTooHigh, Refused
from renders.services.quotas import (
    default_priority,
    quota_of,
    require_budget,
    require_place_in_queue,
    require_priority,
)
from renders.services.render_request import RenderRequest
from renders.services.reuse import reuse_key
from renders.services.usage.estimate import Rates

WOULD_WAIT = "No slots are free for it now: it would be queued."
WOULD_BE_REFUSED = (
    "No slots are free for it now: it would be refused with 429. Send it to /api/renders/ to let it wait."
)
FIELDS: dict[type[Refused], str] = {PriorityTooHigh: "priority", ExternalIdExists: "externalId"}
"""Which field of a request is at fault; else it is a quota."""

NO_ESTIMATE = "The cost cannot be estimated: no render of this kind has succeeded yet."


@dataclass
class DryRun:
    """What a request would do at this moment."""

    render: Render | None = None
    """Its row, which is not saved; None if the request is not valid."""
    estimated_cost: float | None = None
    """None if there is nothing to estimate it by."""
    currency: str = ""
    errors: dict[str, list[str]] = field(default_factory=dict)
    """Sentences by the field that is at fault; what a quota refuses is under ``quota``."""
    warnings: list[str] = field(default_factory=list)


def why_not_all(*, owner: Any, renders: Sequence[Render]) -> list[str]:
    """Return what the owner's quota refuses, in sentences, if all of these new renders are queued at once."""
    quota, refused = quota_of(owner), []
    for check in (
        partial(require_place_in_queue, owner, quota, count=len(renders)),
        partial(require_budget, owner, quota, renders),
    ):
        try:
            check()
        except Refused as err:
            refused.append(str(err))
    return refused


def dry_run(*, owner: Any, request: RenderRequest, may_wait: bool, priority: int | None) -> DryRun:
    """Return what ``create_render`` would do with the same arguments.

    Raise InvalidOptions or InvalidRequest; SetupError if the settings are incomplete.
    """
    target = LambdaTarget.from_settings()
    target.require_credentials()
    quota, rates = quota_of(owner), Rates()
    priority = default_priority(quota) if priority is None else priority
    render = new_render(owner=owner, request=request, target=target, priority=priority)
    result = DryRun(render=render, currency=rates.currency)
    if request.reuse and may_wait and (twin := Render.objects.reusable(reuse_key(render)).first()):
        result.estimated_cost = 0
        result.warnings.append(f"The render {twin.pk} is the same: it would be answered, and nothing rendered.")
        return result
    result.estimated_cost = rates.estimate(render)
    if result.estimated_cost is None:
        result.warnings.append(NO_ESTIMATE)
    _add_what_stops_it(result, render, quota, request=request, may_wait=may_wait)
    return result


def _add_what_stops_it(
    result: DryRun, render: Render, quota: Quota | None, *, request: RenderRequest, may_wait: bool
) -> None:
    """Add what would be refused to the errors, and to the warnings what may change at any moment."""
    checks: list[Callable[[], None]] = [
        partial(require_priority, render.priority, quota),
        partial(require_budget, render.owner, quota, [render]),
    ]
    if request.unique_external_id:
        checks.append(partial(require_new_external_id, render))
    if not has_free_slots(render):
        result.warnings.append(WOULD_WAIT if may_wait else WOULD_BE_REFUSED)
        if may_wait:
            checks.append(partial(require_place_in_queue, render.owner, quota))
    if render.slots_needed > settings.REMOTION_CONCURRENCY:
        result.warnings.append(f"It needs more than all {settings.REMOTION_CONCURRENCY:,} slots: it would run alone.")
    for check in checks:
        try:
            check()
        except Refused as err:
            name = FIELDS.get(type(err), "quota")
            result.errors.setdefault(name, []).append(str(err))
