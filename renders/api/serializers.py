"""What comes in and what goes out, under Remotion's own names in camelCase."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from renders import services
from renders.models import Render
from renders.remotion.config import FRAMES_PER_LAMBDA, MAX_FRAMES, MAX_LAMBDAS_PER_RENDER
from renders.remotion.errors import RemotionError
from renders.remotion.progress import LONGEST_MESSAGE

MAX_FPS = 240
LONGEST_VIDEO_IN_SECONDS = 24 * 3600
ERROR_FIELDS = ("type", "name", "message", "explanation", "chunk", "frame", "attempt", "isFatal", "willRetry")


class InputPropsField(serializers.Field):
    """The composition's input props: the three that we know are checked, the others passed on."""

    default_error_messages = {"not_an_object": "Send an object with code, durationInFrames and fps."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("not_an_object")
        checks = {"code": _code, "durationInFrames": _duration_in_frames, "fps": _fps}
        known: dict[str, Any] = {}
        errors = {}
        for name, check in checks.items():
            try:
                known[name] = check(data.get(name))
            except serializers.ValidationError as err:
                errors[name] = err.detail
        if errors:
            raise serializers.ValidationError(errors)
        if known["durationInFrames"] / known["fps"] > LONGEST_VIDEO_IN_SECONDS:
            raise serializers.ValidationError({"fps": ["So few frames a second make a video of over 24 hours."]})
        return {**data, **known}

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        return value


def _code(value: Any) -> str:
    longest = settings.REMOTION_MAX_CODE_LENGTH
    if not isinstance(value, str) or not value.strip():
        raise serializers.ValidationError("Send the code, or the prompt, of the motion graphics as a string.")
    if len(value) > longest:
        raise serializers.ValidationError(f"It has {len(value):,} characters; at most {longest:,} are taken.")
    return value


def _duration_in_frames(value: Any) -> int:
    if not _is_number(value) or not 1 <= value <= MAX_FRAMES or value != int(value):
        raise serializers.ValidationError(
            f"Send a whole number from 1 to {MAX_FRAMES:,}: Remotion takes at most {MAX_LAMBDAS_PER_RENDER}"
            f" functions for a render, and each renders {FRAMES_PER_LAMBDA} frames."
        )
    return int(value)


def _fps(value: Any) -> float:
    if not _is_number(value) or not 0 < value <= MAX_FPS:
        raise serializers.ValidationError(f"Send a number over 0 and up to {MAX_FPS}, for example 30 or 29.97.")
    fps: float = value
    return fps


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class PriorityField(serializers.Field):
    """How soon a queued render is started, against others of its age."""

    default_error_messages = {"invalid": "Send a whole number from -50 to 50."}

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool) or not -50 <= data <= 50:
            self.fail("invalid")
        return data

    def to_representation(self, value: int) -> int:
        return value


class CreateRenderSerializer(serializers.Serializer):
    inputProps = InputPropsField()  # noqa: N815


class CreateQueuedRenderSerializer(CreateRenderSerializer):
    priority = PriorityField(default=0)


class IdempotencyKeySerializer(serializers.Serializer):
    key = serializers.RegexField(
        r"^[\x20-\x7e]{1,255}$",
        required=False,
        trim_whitespace=False,
        error_messages={
            "invalid": "Send 1 to 255 printable ASCII characters.",
            "blank": "Send 1 to 255 printable ASCII characters.",
        },
    )


class ProgressRequestSerializer(serializers.Serializer):
    id = serializers.CharField(max_length=255, help_text="The renderId.")
    bucketName = serializers.CharField(max_length=255)  # noqa: N815


class RenderListQuerySerializer(serializers.Serializer):
    status = serializers.ChoiceField(
        choices=Render.Status.choices,
        required=False,
        error_messages={"invalid_choice": f"Use one of {', '.join(Render.Status.values)}."},
    )


def _shortened(value: Any) -> Any:
    return value[:LONGEST_MESSAGE] if isinstance(value, str) else value


class RenderSerializer(serializers.ModelSerializer):
    """A row of the list of renders."""

    renderId = serializers.CharField(source="render_id")  # noqa: N815
    bucketName = serializers.CharField(source="bucket_name")  # noqa: N815
    cloudWatchLogs = serializers.CharField(source="cloudwatch_logs")  # noqa: N815
    folderInS3Console = serializers.CharField(source="folder_in_s3_console")  # noqa: N815
    owner = serializers.CharField(source="owner.username", default=None)
    isStalled = serializers.BooleanField(source="is_stalled")  # noqa: N815
    failureReason = serializers.CharField(source="failure_reason")  # noqa: N815
    functionName = serializers.CharField(source="function_name")  # noqa: N815
    remotionVersion = serializers.CharField(source="remotion_version")  # noqa: N815
    framesPerLambda = serializers.IntegerField(source="frames_per_lambda")  # noqa: N815
    framesRendered = serializers.IntegerField(source="frames_rendered")  # noqa: N815
    outputBucket = serializers.CharField(source="output_bucket")  # noqa: N815
    outputKey = serializers.CharField(source="output_key")  # noqa: N815
    outputSize = serializers.IntegerField(source="output_size")  # noqa: N815
    cancelRequestedAt = serializers.DateTimeField(source="cancel_requested_at")  # noqa: N815
    retryOf = serializers.UUIDField(source="retry_of_id")  # noqa: N815
    createdAt = serializers.DateTimeField(source="created_at")  # noqa: N815
    submittedAt = serializers.DateTimeField(source="submitted_at")  # noqa: N815
    refreshedAt = serializers.DateTimeField(source="last_read_at")  # noqa: N815
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
            "composition",
            "codec",
            "region",
            "functionName",
            "framesPerLambda",
            "remotionVersion",
            "outputBucket",
            "outputKey",
            "outputSize",
            "cost",
            "currency",
            "priority",
            "cancelRequestedAt",
            "retryOf",
            "createdAt",
            "submittedAt",
            "refreshedAt",
            "finishedAt",
        ]
        read_only_fields = fields


class RenderDetailSerializer(RenderSerializer):
    """One render, with its input, Remotion's errors and a link to the video that is good for an hour."""

    inputProps = serializers.JSONField(source="input_props")  # noqa: N815
    errors = serializers.SerializerMethodField()  # type: ignore[assignment]
    outputUrl = serializers.SerializerMethodField()  # noqa: N815

    class Meta(RenderSerializer.Meta):
        fields = [*RenderSerializer.Meta.fields, "inputProps", "errors", "outputUrl"]
        read_only_fields = fields

    def get_errors(self, render: Render) -> list[dict[str, Any]]:
        return [{name: _shortened(error.get(name)) for name in ERROR_FIELDS} for error in render.errors]

    def get_outputUrl(self, render: Render) -> str | None:  # noqa: N802
        try:
            return services.sign_output(render)
        except RemotionError:
            return None
