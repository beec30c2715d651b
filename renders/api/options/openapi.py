"""The operation of ``/api/options/``, as OpenAPI describes it."""

from typing import Any

from renders.api.openapi.operation import Operation, Success

TEXT, OBJECT = {"type": "string"}, {"type": "object", "additionalProperties": {}}
TEXTS = {"type": "array", "items": TEXT}
FILE = {"extension": TEXT, "contentType": TEXT, "mediaType": {"type": ["string", "null"]}}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": sorted(properties)}


def _list(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": _object(properties)}


OPTION = {
    "name": TEXT,
    "description": TEXT,
    "schema": OBJECT,
    "allowed": TEXT,
    "default": {},
    "kinds": TEXTS,
    "codecs": TEXTS,
}
CRF = {
    "oneOf": [_object({"minimum": {"type": "integer"}, "maximum": {"type": "integer"}}), {"type": "null"}],
}
CODEC = {"codec": TEXT, **FILE, "audioCodecs": _list({"audioCodec": TEXT, **FILE}), "crf": CRF}

OPERATIONS = {
    "get": Operation(
        id="list_options",
        summary="List the options of a render",
        description="What `options` may hold when a render is created, with the JSON Schema of each, and the codecs.",
        answers={
            200: Success(
                description="All options, codecs, and image formats of stills.",
                body=_object(
                    {"options": _list(OPTION), "codecs": _list(CODEC), "stills": _list({"imageFormat": TEXT, **FILE})}
                ),
            )
        },
    )
}
