"""The operation of ``/api/account/``, as OpenAPI describes it."""

from typing import Any

from renders.api.openapi.operation import Operation, Success

NUMBER, MAYBE_NUMBER = {"type": "number"}, {"type": ["number", "null"]}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": sorted(properties)}


USED = {
    "limit": {**MAYBE_NUMBER, "description": "null: there is none."},
    "used": NUMBER,
    "left": {**MAYBE_NUMBER, "description": "null: there is no limit."},
}
COST = {
    **USED,
    "ended": {**NUMBER, "description": "Of renders that have ended."},
    "active": {**NUMBER, "description": "Of those that have not, as far as it can be told."},
    "currency": {"type": "string"},
}
LIMIT = _object({"limit": MAYBE_NUMBER})

OPERATIONS = {
    "get": Operation(
        id="get_account",
        summary="Read your limits and what is left of them",
        description="What you may use, use now, and have left: functions, waiting renders, cost, requests, priority.",
        answers={
            200: Success(
                description="Your limits.",
                body=_object(
                    {
                        "owner": {"type": ["string", "null"]},
                        "functions": _object(USED),
                        "waiting": _object(USED),
                        "costThisMonth": _object(COST),
                        "requestsPerMinute": LIMIT,
                        "priority": LIMIT,
                    }
                ),
            )
        },
    )
}
