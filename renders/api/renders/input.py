"""What comes in: the bodies and query parameters of ``/api/renders/``, under Remotion's names."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from renders.models import Render
from renders.remotion.options import FRAMES_PER_LAMBDA, MAX_FRAMES, MAX_LAMBDAS_PER_RENDER

MAX_FPS = 240
MAX_VIDEO_SECONDS = 24 * 3600


class InputPropsField(serializers.Field):
    """The composition's input props: ``code``, ``durationInFrames`` and ``fps`` are checked, the others passed on."""

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
        if known["durationInFrames"] / known["fps"] > MAX_VIDEO_SECONDS:
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
    """How soon a queued render starts, compared with others of its age."""

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


class RenderListQuerySerializer(serializers.Serializer):
    status = serializers.ChoiceField(
        choices=Render.Status.choices,
        required=False,
        error_messages={"invalid_choice": f"Use one of {', '.join(Render.Status.values)}."},
    )
