"""What goes out: renders as JSON, under Remotion's names in camelCase."""

from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from renders.api.output import ObjectField
from renders.api.renders.examples import EXAMPLE_IN_A_LIST, EXAMPLE_RENDER
from renders.api.renders.json_schemas import ARTIFACTS, POSTER, REMOTION_ERRORS
from renders.models import Render
from renders.remotion.errors import RemotionError
from renders.remotion.progress import MAX_MESSAGE_LENGTH
from renders.services.outputs import sign_artifacts, sign_output

ERROR_FIELDS = ("type", "name", "message", "explanation", "chunk", "frame", "attempt", "isFatal", "willRetry")


def _shortened(value: Any) -> Any:
    return value[:MAX_MESSAGE_LENGTH] if isinstance(value, str) else value


@extend_schema_serializer(component_name="RenderInList")
class RenderSerializer(serializers.ModelSerializer):
    """One render in the list."""

    openapi_example = EXAMPLE_IN_A_LIST

    renderId = serializers.CharField(source="render_id")  # noqa: N815
    bucketName = serializers.CharField(source="bucket_name")  # noqa: N815
    cloudWatchLogs = serializers.CharField(source="cloudwatch_logs")  # noqa: N815
    folderInS3Console = serializers.CharField(source="folder_in_s3_console")  # noqa: N815
    owner = serializers.CharField(source="owner.username", default=None)
    isStalled = serializers.BooleanField(source="is_stalled")  # noqa: N815
    failureReason = serializers.CharField(source="failure_reason")  # noqa: N815
    functionName = serializers.CharField(source="function_name")  # noqa: N815
    remotionVersion = serializers.CharField(source="remotion_version")  # noqa: N815
    template = serializers.CharField(source="template.name", default=None)
    templateVersion = serializers.IntegerField(source="template_version")  # noqa: N815
    options = ObjectField()
    framesPerLambda = serializers.IntegerField(source="frames_per_lambda")  # noqa: N815
    durationInFrames = serializers.IntegerField(source="duration_in_frames")  # noqa: N815
    externalId = serializers.CharField(source="external_id")  # noqa: N815
    batchId = serializers.UUIDField(source="batch_id")  # noqa: N815
    posterOf = serializers.UUIDField(source="poster_of_id")  # noqa: N815
    expiresAt = serializers.DateTimeField(source="expires_at", allow_null=True)  # noqa: N815
    isExpired = serializers.BooleanField(source="is_expired")  # noqa: N815
    framesRendered = serializers.IntegerField(source="frames_rendered")  # noqa: N815
    outputBucket = serializers.CharField(source="output_bucket")  # noqa: N815
    outputKey = serializers.CharField(source="output_key")  # noqa: N815
    outputSize = serializers.IntegerField(source="output_size")  # noqa: N815
    cancelRequestedAt = serializers.DateTimeField(source="cancel_requested_at")  # noqa: N815
    retryOf = serializers.UUIDField(source="retry_of_id")  # noqa: N815
    createdAt = serializers.DateTimeField(source="created_at")  # noqa: N815
    submittedAt = serializers.DateTimeField(source="submitted_at")  # noqa: N815
    refreshedAt = serializers.DateTimeField(source="last_read_at", allow_null=True)  # noqa: N815
    finishedAt = serializers.DateTimeField(source="finished_at")  # noqa: N815

    class Meta:
        model = Render
        fields = [
            "id",
            "status",
            "progress",
            "isStalled",
            "framesRendered",
            "renderId",
            "bucketName",
            "cloudWatchLogs",
            "folderInS3Console",
            "owner",
            "failureReason",
            "error",
            "kind",
            "template",
            "templateVersion",
            "composition",
            "options",
            "frame",
            "codec",
            "durationInFrames",
            "fps",
            "width",
            "height",
            "region",
            "functionName",
            "framesPerLambda",
            "concurrency",
            "remotionVersion",
            "outputBucket",
            "outputKey",
            "outputSize",
            "cost",
            "currency",
            "priority",
            "metadata",
            "externalId",
            "batchId",
            "cancelRequestedAt",
            "retryOf",
            "posterOf",
            "expiresAt",
            "isExpired",
            "createdAt",
            "submittedAt",
            "refreshedAt",
            "finishedAt",
        ]
        read_only_fields = fields


@extend_schema_serializer(component_name="Render")
class RenderDetailSerializer(RenderSerializer):
    """One render, with its input, Remotion's errors, and links to its files that work for an hour."""

    openapi_example = EXAMPLE_RENDER

    inputProps = ObjectField(source="input_props")  # noqa: N815
    errors = serializers.SerializerMethodField()  # type: ignore[assignment]
    outputUrl = serializers.SerializerMethodField()  # noqa: N815
    poster = serializers.SerializerMethodField()
    posterUrl = serializers.SerializerMethodField()  # noqa: N815
    artifacts = serializers.SerializerMethodField()
    reused = serializers.BooleanField(
        required=False, help_text="True in the answer to a request that an earlier render is answered to."
    )

    webhookUrl = serializers.CharField(source="webhook_url")  # noqa: N815

    class Meta(RenderSerializer.Meta):
        own = ["inputProps", "errors", "outputUrl", "poster", "posterUrl", "artifacts", "webhookUrl", "reused"]
        fields = [*RenderSerializer.Meta.fields, *own]
        read_only_fields = fields

    @extend_schema_field(REMOTION_ERRORS)
    def get_errors(self, render: Render) -> list[dict[str, Any]]:
        return [{name: _shortened(error.get(name)) for name in ERROR_FIELDS} for error in render.errors]

    def get_outputUrl(self, render: Render) -> str | None:  # noqa: N802
        return _url(render)

    @extend_schema_field(POSTER)
    def get_poster(self, render: Render) -> dict[str, Any] | None:
        poster = render.poster
        return {"id": str(poster.id), "status": poster.status, "error": poster.error} if poster else None

    def get_posterUrl(self, render: Render) -> str | None:  # noqa: N802
        return _url(render.poster) if render.poster else None

    @extend_schema_field(ARTIFACTS)
    def get_artifacts(self, render: Render) -> list[dict[str, Any]]:
        return sign_artifacts(render)


def _url(render: Render) -> str | None:
    try:
        return sign_output(render)
    except RemotionError:
        return None
