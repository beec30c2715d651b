"""The operations of ``/api/keys/``, as OpenAPI describes them."""

from rest_framework import exceptions

from renders.api.auth import ScopeMissing
from renders.api.keys.output import ApiKeySerializer
from renders.api.openapi.operation import Operation, Success

OPERATIONS = {
    "list": Operation(
        id="list_keys",
        summary="List your API keys",
        description="Your own keys, the newest first, in pages. No answer has their secrets.",
        answers={200: Success(description="A page of keys.", body=ApiKeySerializer)},
    ),
    "destroy": Operation(
        id="revoke_key",
        summary="Revoke an API key",
        description="The key stops working at once. A key may always revoke itself.",
        answers={204: Success(description="It is revoked.")},
        errors=(exceptions.NotFound, ScopeMissing),
    ),
}
