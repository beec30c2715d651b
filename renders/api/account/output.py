"""What goes out: an owner's limits and use as JSON."""

from typing import Any

from renders.services.account import Account


def described_account(account: Account) -> dict[str, Any]:
    """Return each thing with its limit (null where there is none), what is used of it, and what is left."""
    cost_used = account.cost_ended + account.cost_active
    return {
        "functions": _described(account.max_functions, account.functions_used),
        "waiting": _described(account.max_waiting, account.waiting),
        "costThisMonth": {
            **_described(account.max_cost_per_month, cost_used),
            "ended": account.cost_ended,
            "active": account.cost_active,
            "currency": account.currency,
        },
        "requestsPerMinute": {"limit": account.max_requests_per_minute},
        "priority": {"limit": account.max_priority},
    }


def _described(limit: float | None, used: float) -> dict[str, float | None]:
    return {"limit": limit, "used": used, "left": None if limit is None else max(0, limit - used)}
