"""The operation of ``/api/lambda/webhook``, as OpenAPI describes it."""

from rest_framework import exceptions

from renders.api.openapi.operation import Operation, Success
from renders.services.errors import NotVerified

OPERATIONS = {
    "post": Operation(
        id="receive_remotion_webhook",
        summary="For Remotion's function only",
        description=(
            "Remotion posts here that a render has ended, signed with `REMOTION_WEBHOOK_SECRET`. Without a configured"
            " webhook it is 404."
        ),
        answers={
            200: Success(
                description="The delivery is stored.",
                body={"type": "object", "required": ["success"], "properties": {"success": {"type": "boolean"}}},
            )
        },
        errors=(NotVerified, exceptions.NotFound),
    )
}
