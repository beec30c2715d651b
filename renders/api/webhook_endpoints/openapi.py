"""The operations of ``/api/webhook-endpoints/``, as OpenAPI describes them."""

from typing import Any

from renders.api.openapi.operation import LOCATION, Example, Operation, Success
from renders.api.webhook_endpoints.output import EndpointSerializer, EndpointWithSecretSerializer, MessageSerializer
from renders.remotion.errors import SetupError
from renders.services.errors import Conflict


def _object(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {name: schema}, "required": [name]}


MESSAGE = Success(description="The message; it is on its way.", body=MessageSerializer)

OPERATIONS = {
    "list": Operation(
        id="list_webhook_endpoints",
        summary="List your webhook endpoints",
        description="Where your events are posted, the newest endpoint first, in pages.",
        answers={200: Success(description="A page of endpoints.", body=EndpointSerializer)},
    ),
    "create": Operation(
        id="create_webhook_endpoint",
        summary="Create a webhook endpoint",
        description="From now on your events are posted to it. Verify them with `secret`, by Standard Webhooks.",
        answers={201: Success(description="The endpoint.", body=EndpointWithSecretSerializer, headers=LOCATION)},
        errors=(Conflict, SetupError),
        examples=(
            Example(
                name="ends",
                summary="Told when renders end",
                body={
                    "url": "https://example.com/hooks/renders",
                    "events": ["render.succeeded", "render.failed", "render.cancelled"],
                },
            ),
        ),
        links=dict.fromkeys(
            (
                "get_webhook_endpoint",
                "update_webhook_endpoint",
                "get_webhook_secret",
                "rotate_webhook_secret",
                "ping_webhook_endpoint",
                "list_webhook_messages",
                "replay_failed_webhook_messages",
                "delete_webhook_endpoint",
            ),
            "id",
        ),
    ),
    "retrieve": Operation(
        id="get_webhook_endpoint",
        summary="Read a webhook endpoint",
        description="The endpoint, and why the service disabled it if it did.",
        answers={200: Success(description="The endpoint.", body=EndpointSerializer)},
    ),
    "partial_update": Operation(
        id="update_webhook_endpoint",
        summary="Change a webhook endpoint",
        description="Changes the fields that are sent. `enabled: true` enables one again that was disabled.",
        answers={200: Success(description="The endpoint.", body=EndpointSerializer)},
        errors=(Conflict,),
        examples=(Example(name="disable", summary="Nothing is posted to it any more", body={"enabled": False}),),
    ),
    "destroy": Operation(
        id="delete_webhook_endpoint",
        summary="Delete a webhook endpoint",
        description="Deletes the endpoint and its messages.",
        answers={204: Success(description="It is deleted.")},
        errors=(Conflict,),
    ),
    "secret": Operation(
        id="get_webhook_secret",
        summary="Read the secret of a webhook endpoint",
        description="The secret with which its messages are signed.",
        answers={200: Success(description="The secret.", body=_object("secret", {"type": "string"}))},
        errors=(SetupError,),
    ),
    "rotate_secret": Operation(
        id="rotate_webhook_secret",
        summary="Replace the secret of a webhook endpoint",
        description="Makes a new secret. For 24 hours messages are signed with the previous one too.",
        answers={200: Success(description="The endpoint with its new secret.", body=EndpointWithSecretSerializer)},
        errors=(Conflict, SetupError),
    ),
    "ping": Operation(
        id="ping_webhook_endpoint",
        summary="Send a test message",
        description="Posts a message of the type `ping` to the endpoint.",
        answers={202: MESSAGE},
        errors=(Conflict,),
    ),
    "messages": Operation(
        id="list_webhook_messages",
        summary="List the messages of a webhook endpoint",
        description="What was posted to it, the newest first, in pages, each with its attempts and their answers.",
        answers={200: Success(description="A page of messages.", body=MessageSerializer, is_page=True)},
    ),
    "message": Operation(
        id="get_webhook_message",
        summary="Read a message of a webhook endpoint",
        description="One message, with its attempts and their answers.",
        answers={200: Success(description="The message.", body=MessageSerializer)},
    ),
    "replay": Operation(
        id="replay_webhook_message",
        summary="Send a message again",
        description="Posts a message again that was delivered, or that has failed.",
        answers={202: MESSAGE},
        errors=(Conflict,),
    ),
    "replay_failed": Operation(
        id="replay_failed_webhook_messages",
        summary="Send all failed messages again",
        description="Posts all messages again that were made since a time and have failed.",
        answers={
            202: Success(description="How many there are.", body=_object("replayed", {"type": "integer", "minimum": 0}))
        },
        errors=(Conflict,),
        examples=(Example(name="since", summary="Those of an outage", body={"since": "2026-01-31T12:00:00Z"}),),
    ),
}
