"""The requests that this service sends to webhook endpoints, as OpenAPI describes them."""

from typing import Any

from renders.models import Event

TEXT: dict[str, Any] = {"type": "string"}
ID: dict[str, Any] = {"type": ["string", "null"], "format": "uuid"}
OF_EVENTS: dict[str, Any] = {
    "externalId": {**TEXT, "description": "Its name in your system; empty without one."},
    "metadata": {"type": "object", "additionalProperties": TEXT},
    "batchId": {**ID, "description": "The batch that it was created in."},
}
"""Fields of a render in events that may be missing from ``Render``."""

NAMES = (
    "id",
    "status",
    "progress",
    "kind",
    "template",
    "renderId",
    "bucketName",
    "region",
    "failureReason",
    "error",
    "durationInFrames",
    "fps",
    "width",
    "height",
    "outputBucket",
    "outputKey",
    "outputSize",
    "cost",
    "currency",
    "externalId",
    "metadata",
    "batchId",
    "retryOf",
    "posterOf",
    "createdAt",
    "submittedAt",
    "finishedAt",
)
"""Fields of a render in events: those of ``services.events.payload.render_data``."""

BATCH_NAMES = (
    "id",
    "renders",
    "counts",
    "progress",
    "cost",
    "currency",
    "createdAt",
    "cancelRequestedAt",
    "completedAt",
)
"""Fields of a batch in events: those of ``services.batches.totals.batch_data``."""

HEADERS = {
    "webhook-id": "The same for each attempt: remember it, to handle an event once.",
    "webhook-timestamp": "When this attempt was sent, in seconds since 1970: refuse one that is minutes old.",
    "webhook-signature": "`v1,` and the signature of id, timestamp and body, made with the secret of the endpoint.",
}
RESPONSES = {
    "2XX": {"description": "Received."},
    "410": {"description": "Gone: the endpoint is disabled."},
    "default": {"description": "Anything else, also a redirect or no answer in time: it is sent again later."},
}


def add_webhooks(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add ``webhooks`` and their schemas; a postprocessing hook of drf-spectacular."""
    schemas = result["components"]["schemas"]
    known = {**OF_EVENTS, **schemas["Render"]["properties"]}
    schemas["RenderEventData"] = {
        "type": "object",
        "description": "A render as it was when the event happened. It has no links: ask for them.",
        "properties": {name: known[name] for name in NAMES},
        "required": sorted(NAMES),
    }
    schemas["BatchEventData"] = {
        "type": "object",
        "description": "A batch as it was when its last render had ended.",
        "properties": {name: schemas["BatchDetail"]["properties"][name] for name in BATCH_NAMES},
        "required": sorted(BATCH_NAMES),
    }
    result["webhooks"] = {type_.value: {"post": _operation(type_)} for type_ in Event.Type}
    return result


def _operation(type_: Event.Type) -> dict[str, Any]:
    data = "BatchEventData" if type_ == Event.Type.BATCH_COMPLETED else "RenderEventData"
    body = {
        "type": "object",
        "properties": {
            "type": {"type": "string", "const": type_.value},
            "timestamp": {"type": "string", "format": "date-time", "description": "When it happened."},
            "data": {"$ref": f"#/components/schemas/{data}"},
        },
        "required": ["type", "timestamp", "data"],
    }
    return {
        "operationId": f"on_{type_.value.replace('.', '_')}",
        "summary": str(type_.label),
        "description": "Signed by [Standard Webhooks](https://www.standardwebhooks.com): verify it with its library.",
        "tags": ["webhooks"],
        "parameters": [
            {"name": name, "in": "header", "required": True, "description": text, "schema": TEXT}
            for name, text in HEADERS.items()
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": RESPONSES,
    }
