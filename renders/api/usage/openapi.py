"""The operation of ``/api/usage/``, as OpenAPI describes it."""

from typing import Any

from renders.api.openapi.operation import Operation, Success
from renders.services.usage.report import GroupBy

TEXT, NUMBER, COUNT = {"type": "string"}, {"type": "number"}, {"type": "integer"}
DATE = {"type": "string", "format": "date"}
MAYBE_TEXT = {"type": ["string", "null"]}
ROW: dict[str, Any] = {
    "type": "object",
    "properties": {
        **{name.value: MAYBE_TEXT for name in GroupBy},
        "currency": TEXT,
        "renders": COUNT,
        "succeeded": COUNT,
        "failed": COUNT,
        "cancelled": COUNT,
        "videoSeconds": NUMBER,
        "functionSeconds": NUMBER,
        "cost": NUMBER,
    },
    "required": ["currency", "renders", "succeeded", "failed", "cancelled", "videoSeconds", "functionSeconds", "cost"],
}
EXAMPLE = {
    "from": "2026-01-01",
    "to": "2026-01-31",
    "groupBy": "template",
    "results": [
        {
            "template": "promo",
            "currency": "USD",
            "renders": 3,
            "succeeded": 2,
            "failed": 1,
            "cancelled": 0,
            "videoSeconds": 10.0,
            "functionSeconds": 84.5,
            "cost": 0.0063,
        }
    ],
}

OPERATIONS = {
    "get": Operation(
        id="get_usage",
        summary="What your renders used",
        description=(
            "Renders, seconds of video, function time and cost of the renders that ended in these days, by day, owner,"
            " template or region. With `format=csv` it is a file for spreadsheets."
        ),
        answers={
            200: Success(
                description="A row for each day, owner, template or region.",
                body={
                    "type": "object",
                    "properties": {
                        "from": DATE,
                        "to": DATE,
                        "groupBy": {"type": "string", "enum": [name.value for name in GroupBy]},
                        "results": {"type": "array", "items": ROW},
                    },
                    "required": ["from", "to", "groupBy", "results"],
                },
                also={"text/csv": TEXT},
                example=EXAMPLE,
            )
        },
    )
}
