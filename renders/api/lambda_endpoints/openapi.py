"""The operations of ``/api/lambda/…``, as OpenAPI describes them."""

from rest_framework import exceptions, serializers

from renders.api.errors import ENDED_CODES
from renders.api.openapi.errors import STARTING_NOW
from renders.api.openapi.operation import REPLAYED, Example, Operation, Success
from renders.api.renders.openapi import or_dry_run
from renders.remotion import errors

STARTED = {
    "renderId": "ya9n0umlzo",
    "bucketName": "remotionlambda-useast1-abcdefgh",
    "cloudWatchLogs": "https://us-east-1.console.aws.amazon.com/cloudwatch/home",
    "folderInS3Console": "https://s3.console.aws.amazon.com/s3/buckets/remotionlambda-useast1-abcdefgh",
    "id": "3127bc58-700d-45f9-af1d-393bda70afe0",
}
PROGRESS = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"type": "string", "enum": ["progress", "done", "error"]},
        "progress": {"type": "number", "minimum": 0, "maximum": 1, "description": "With `progress`: it never falls."},
        "url": {"type": "string", "description": "With `done`: plays the video for one hour."},
        "size": {"type": ["integer", "null"], "description": "With `done`: bytes."},
        "message": {"type": "string", "description": "With `error`: why there is no video."},
    },
}


class StartedSerializer(serializers.Serializer):
    """As Remotion's `renderMediaOnLambda()`, with our id."""

    renderId = serializers.CharField()  # noqa: N815
    bucketName = serializers.CharField()  # noqa: N815
    cloudWatchLogs = serializers.CharField()  # noqa: N815
    folderInS3Console = serializers.CharField()  # noqa: N815
    id = serializers.UUIDField(help_text="Our id.")


RENDER = {
    "post": Operation(
        id="start_render",
        summary="Start a render now, as Remotion's template does",
        description=(
            "Answers as Remotion's `renderMediaOnLambda()` does. It does not queue: without free slots it is 429."
            " New clients use `POST /api/renders/`. With the setting `LAMBDA_API_ENVELOPE=remotion` the answers are"
            " wrapped as the template's front end expects them; this describes them without it."
        ),
        answers={
            200: Success(
                description="The render has started, or a dry run.",
                body=or_dry_run("StartedOrDryRun", StartedSerializer),
                headers=REPLAYED,
                example=STARTED,
            )
        },
        errors=STARTING_NOW,
        codes={502: ENDED_CODES},
        examples=(
            Example(
                name="prompt",
                summary="A video",
                body={
                    "inputProps": {
                        "code": "Create a rotating 3D cube with blue color",
                        "durationInFrames": 150,
                        "fps": 30,
                    }
                },
            ),
        ),
        is_idempotent=True,
        links=dict.fromkeys(("get_render", "refresh_render", "cancel_render", "retry_render", "delete_render"), "id"),
    )
}

PROGRESS_OPERATIONS = {
    "post": Operation(
        id="get_progress",
        summary="Ask for the progress of a render, as Remotion's template does",
        description="Reads S3, at most once a second. Ask once a second; stop at `done` or `error`.",
        answers={
            200: Success(
                description="Its progress, its video, or why there is none.",
                body=PROGRESS,
                example={"type": "progress", "progress": 0.428},
            )
        },
        errors=(exceptions.NotFound, errors.SetupError, errors.Unavailable),
        examples=(
            Example(
                name="id",
                summary="By our id",
                body={"id": "3127bc58-700d-45f9-af1d-393bda70afe0"},
            ),
            Example(
                name="renderId",
                summary="By Remotion's id",
                body={"id": "ya9n0umlzo", "bucketName": "remotionlambda-useast1-abcdefgh"},
            ),
        ),
    )
}
