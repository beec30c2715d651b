"""The operations of ``/api/renders/``, as OpenAPI describes them."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers

from renders.api.errors import StreamsUnavailable
from renders.api.openapi.errors import OF_A_TEMPLATE, STARTING
from renders.api.openapi.operation import LOCATION, REPLAYED, Example, Operation, Success
from renders.api.renders.examples import EXAMPLE_PROPS
from renders.api.renders.output import RenderDetailSerializer, RenderSerializer
from renders.remotion import errors
from renders.services.errors import Conflict, FilesExpired, TemplateUnknown

FURTHER = dict.fromkeys(("get_render", "refresh_render", "cancel_render", "retry_render", "delete_render"), "id")
HEADERS = {**LOCATION, **REPLAYED}


def _one(description: str, **headers: str) -> Success:
    return Success(description=description, body=RenderDetailSerializer, headers=headers)


class DryRunSerializer(serializers.Serializer):
    """What a request with `dryRun` would do."""

    valid = serializers.BooleanField(help_text="Whether the request would be taken.")
    errors = serializers.DictField(help_text="Sentences for each field, as in `details` of an error.")  # type: ignore[assignment]
    warnings = serializers.ListField(child=serializers.CharField())
    slots = serializers.IntegerField(allow_null=True, help_text="How many functions run at once.")
    estimatedCost = serializers.FloatField(allow_null=True, help_text="null: it cannot be estimated.")  # noqa: N815
    currency = serializers.CharField()


def or_dry_run(name: str, serializer: type[serializers.Serializer]) -> PolymorphicProxySerializer:
    """Return what is answered with 200 where a body may ask for a dry run."""
    return PolymorphicProxySerializer(
        component_name=name, serializers=[serializer, DryRunSerializer], resource_type_field_name=None
    )


CREATED = {
    200: _one("An earlier render of the same is answered; `reused` is true.", **LOCATION),
    201: _one("The render has started. A still has been rendered, or has failed.", **HEADERS),
    202: _one("The render is queued, or it is not known yet whether it has started (`submitting`).", **HEADERS),
}

INPUT_PROPS = "The composition's input props. With a `template`: what its schema takes, or nothing for its defaults."


class CreateRenderExtension(OpenApiSerializerExtension):
    """Says that a ``template`` decides what the input props are."""

    target_class = "renders.api.renders.input.CreateQueuedRenderSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        of_default = schema["properties"]["inputProps"]["allOf"][0]
        of_template = {"type": "object", "title": "Input props of a template", "additionalProperties": {}}
        schema["properties"]["inputProps"] = {"anyOf": [of_default, of_template], "description": INPUT_PROPS}
        schema.pop("required")
        return schema


OPERATIONS = {
    "list": Operation(
        id="list_renders",
        summary="List renders",
        description="The renders that you may see, the newest first, in pages: follow `next`.",
        answers={
            200: Success(description="A page of renders.", body=RenderSerializer),
        },
        errors=(TemplateUnknown,),
    ),
    "create": Operation(
        id="create_render",
        summary="Start or queue a render",
        description=(
            "Starts a render, or queues it while there are no free slots or AWS cannot be reached. Then follow it with"
            " `GET /api/renders/{id}/`. Send an `Idempotency-Key`, so that a repeated request starts no second render."
        ),
        answers={
            **CREATED,
            200: Success(
                description="An earlier render of the same is answered (`reused` is true), or a dry run.",
                body=or_dry_run("RenderOrDryRun", RenderDetailSerializer),
                headers=LOCATION,
            ),
        },
        errors=(*STARTING, *OF_A_TEMPLATE),
        examples=(
            Example(name="prompt", summary="A video of the default template", body={"inputProps": EXAMPLE_PROPS}),
            Example(
                name="gif",
                summary="A GIF of half the size",
                body={"inputProps": EXAMPLE_PROPS, "options": {"codec": "gif", "scale": 0.5}},
            ),
            Example(
                name="still",
                summary="One frame as a picture",
                body={"inputProps": EXAMPLE_PROPS, "kind": "still", "frame": 30},
            ),
            Example(
                name="poster",
                summary="A video with a poster",
                body={"inputProps": EXAMPLE_PROPS, "poster": {"seconds": 1}},
            ),
            Example(
                name="dryRun",
                summary="What it would cost",
                body={"inputProps": EXAMPLE_PROPS, "dryRun": True},
            ),
        ),
        is_idempotent=True,
        links=FURTHER,
    ),
    "retrieve": Operation(
        id="get_render",
        summary="Read a render",
        description=(
            "The render as the worker last stored it. With `wait=20` the answer comes when it has ended, or after so"
            " many seconds; that takes a server for ASGI, else it is 501. Links in the answer work for one hour."
        ),
        answers={200: _one("The render.")},
        errors=(StreamsUnavailable,),
    ),
    "destroy": Operation(
        id="delete_render",
        summary="Delete a render",
        description="Deletes the row of a render that has ended, and that of its poster. The files on S3 stay.",
        answers={204: Success(description="It is deleted.")},
        errors=(Conflict,),
    ),
    "download": Operation(
        id="download_render",
        summary="Download the file of a render",
        description="Leads to the file by an address that works for one hour; with `json`, answers that address.",
        answers={
            200: Success(
                description="With `json`: the address, and until when it works.",
                body={
                    "type": "object",
                    "properties": {
                        "url": {"type": "string", "format": "uri"},
                        "expiresAt": {"type": "string", "format": "date-time"},
                    },
                    "required": ["url", "expiresAt"],
                },
            ),
            302: Success(description="The file.", headers={"Location": "The address of the file."}),
        },
        errors=(Conflict, FilesExpired, errors.SetupError),
    ),
    "refresh": Operation(
        id="refresh_render",
        summary="Read a render anew from S3",
        description="Reads S3, at most once a second however many ask, and answers with the render.",
        answers={200: _one("The render as it is now.")},
        errors=(errors.SetupError, errors.Unavailable),
    ),
    "cancel": Operation(
        id="cancel_render",
        summary="Cancel a render",
        description="Cancels a queued render at once, and asks Remotion to cancel one that runs.",
        answers={
            200: _one("It was queued, and is cancelled."),
            202: _one("Remotion is asked; it becomes `cancelled`, or `succeeded` if it was faster."),
        },
        errors=(Conflict, errors.SetupError, errors.Unavailable),
    ),
    "retry": Operation(
        id="retry_render",
        summary="Do a render again",
        description=(
            "Creates a new render with the same input, owner and priority, of one that failed or was cancelled."
        ),
        answers=CREATED,
        errors=(*STARTING, *OF_A_TEMPLATE),
        links=FURTHER,
    ),
}
