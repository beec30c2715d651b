"""What schemathesis is told: a check of ours, and not to wait long."""

from typing import Any

import schemathesis
from schemathesis import Case, CheckContext, HookContext, Response


@schemathesis.check
def code_is_described(ctx: CheckContext, response: Response, case: Case) -> None:
    """Fail if an error has a code that its operation does not have with this status."""
    described = case.operation.definition.raw["responses"].get(str(response.status_code), {})
    if "x-codes" in described:
        code = response.json().get("code")
        assert code in described["x-codes"], f"{code} is not among {described['x-codes']}"


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Wait one second at most for the end of a render: many never end here."""
    query = case.query or {}
    if isinstance(query.get("wait"), int) and query["wait"] > 1:
        query["wait"] = 1
