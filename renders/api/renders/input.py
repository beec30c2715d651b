"""What comes in: the bodies and query parameters of ``/api/renders/``, under Remotion's names."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from renders.api.input import BodySerializer, QuerySerializer
from renders.api.renders.options_schema import OPTIONS_SCHEMA
from renders.api.renders.own_fields import ExternalIdField, MetadataField
from renders.models import Render
from renders.remotion.options import FRAMES_PER_LAMBDA, MAX_FRAMES, MAX_LAMBDAS_PER_RENDER
from renders.services.own_fields import MAX_EXTERNAL_ID, MAX_PAIRS
from renders.services.webhooks.urls import NO_URL, url_problem

MAX_FPS = 240
MAX_VIDEO_SECONDS = 24 * 3600
MIN_PRIORITY, MAX_PRIORITY = -50, 50
MAX_FRAME = 100_000_000

POSTER_SCHEMA: dict[str, Any] = {
    "oneOf": [
        {
            "type": "object",
            "title": "Poster by frame",
            "properties": {"frame": {"type": "integer", "minimum": -MAX_FRAME, "maximum": MAX_FRAME}},
            "required": ["frame"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "title": "Poster by time",
            "properties": {"seconds": {"type": "number", "minimum": 0, "maximum": MAX_VIDEO_SECONDS}},
            "required": ["seconds"],
            "additionalProperties": False,
        },
    ]
}

NO_OBJECT = "Send an object with code, durationInFrames and fps."
NO_CODE = "Send the code, or the prompt, of the motion graphics as a string."
NO_DURATION = (
    f"Send a whole number from 1 to {MAX_FRAMES:,}: Remotion takes at most {MAX_LAMBDAS_PER_RENDER}"
    f" functions for a render, and each renders {FRAMES_PER_LAMBDA} frames."
)
NO_FPS = f"Send a number over 0 and up to {MAX_FPS}, for example 30 or 29.97."


@extend_schema_field({"type": "string", "minLength": 1, "pattern": r"\S"})
class CodeField(serializers.CharField):
    default_error_messages = {
        "required": NO_CODE,
        "null": NO_CODE,
        "invalid": NO_CODE,
        "too_long": "It has {length:,} characters; at most {longest:,} are taken.",
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.max_length = settings.REMOTION_MAX_CODE_LENGTH

    def run_validation(self, data: Any = serializers.empty) -> str:
        # Not CharField's: the code is kept as it is, white space and all.
        return serializers.Field.run_validation(self, data)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or not data.strip():
            self.fail("invalid")
        if len(data) > settings.REMOTION_MAX_CODE_LENGTH:
            self.fail("too_long", length=len(data), longest=settings.REMOTION_MAX_CODE_LENGTH)
        return data


class DurationInFramesField(serializers.IntegerField):
    default_error_messages = {"required": NO_DURATION, "null": NO_DURATION, "invalid": NO_DURATION}

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.min_value, self.max_value = 1, MAX_FRAMES

    def to_internal_value(self, data: Any) -> int:
        if not _is_number(data) or not 1 <= data <= MAX_FRAMES or data != int(data):
            self.fail("invalid")
        return int(data)


@extend_schema_field({"type": "number", "exclusiveMinimum": 0, "maximum": MAX_FPS})
class FpsField(serializers.FloatField):
    default_error_messages = {"required": NO_FPS, "null": NO_FPS, "invalid": NO_FPS}

    def __init__(self, **options: Any) -> None:
        super().__init__(help_text="Over 0.", **options)
        self.max_value = MAX_FPS

    def to_internal_value(self, data: Any) -> float:
        if not _is_number(data) or not 0 < data <= MAX_FPS:
            self.fail("invalid")
        fps: float = data
        return fps


class PriorityField(serializers.IntegerField):
    """How soon a queued render starts, compared with others of its age."""

    default_error_messages = {"invalid": f"Send a whole number from {MIN_PRIORITY} to {MAX_PRIORITY}."}

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.min_value, self.max_value = MIN_PRIORITY, MAX_PRIORITY

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool) or not MIN_PRIORITY <= data <= MAX_PRIORITY:
            self.fail("invalid")
        return data


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class InputPropsSerializer(serializers.Serializer):
    """The composition's input props: those that are declared are checked, the others passed on."""

    default_error_messages = {"required": NO_OBJECT, "null": NO_OBJECT}

    code = CodeField()
    durationInFrames = DurationInFramesField()  # noqa: N815
    fps = FpsField()

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError([NO_OBJECT])
        known = super().to_internal_value(data)
        if known["durationInFrames"] / known["fps"] > MAX_VIDEO_SECONDS:
            raise serializers.ValidationError(
                {"fps": ["At this rate the video is over 24 hours long: send more frames a second, or fewer frames."]}
            )
        return {**data, **known}


class ObjectField(serializers.DictField):
    """A JSON object of any content."""

    default_error_messages = {"not_a_dict": "Send a JSON object.", "null": "Send a JSON object."}


@extend_schema_field(OPTIONS_SCHEMA, component_name="RenderOptionsRequest")
class OptionsField(ObjectField):
    """Remotion's options; ``validate_options`` checks each."""


class TemplateNameField(serializers.CharField):
    default_error_messages = dict.fromkeys(("invalid", "blank", "null", "max_length"), "Send the name of a template.")

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field({"type": "integer", "minimum": -MAX_FRAME, "maximum": MAX_FRAME})
class FrameField(serializers.IntegerField):
    default_error_messages = {"invalid": "Send the number of a frame: 0 is the first, -1 the last."}

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool) or abs(data) > MAX_FRAME:
            self.fail("invalid")
        return data


@extend_schema_field(POSTER_SCHEMA)
class PosterField(serializers.Field):
    """Which frame of a video becomes its poster."""

    default_error_messages = {"invalid": 'Send {{"frame": 30}} or {{"seconds": 1}}, the place of the poster.'}

    def to_internal_value(self, data: Any) -> dict[str, float]:
        if not isinstance(data, Mapping) or len(data) != 1:
            self.fail("invalid")
        name, value = next(iter(data.items()))
        is_frame = name == "frame" and isinstance(value, int) and abs(value) <= MAX_FRAME
        is_time = name == "seconds" and _is_number(value) and 0 <= value <= MAX_VIDEO_SECONDS
        if isinstance(value, bool) or not (is_frame or is_time):
            self.fail("invalid")
        return {name: value}


class ExactBooleanField(serializers.BooleanField):
    default_error_messages = {"invalid": "Send true or false.", "null": "Send true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class WebhookUrlField(serializers.CharField):
    """Where the end of one render is posted."""

    default_error_messages = dict.fromkeys(("invalid", "null", "blank"), NO_URL)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if problem := url_problem(data):
            raise serializers.ValidationError([problem])
        return data


@extend_schema_serializer(component_name="StartRender")
class CreateRenderSerializer(BodySerializer):
    """A video of the default template."""

    inputProps = InputPropsSerializer(help_text="Further props are passed on to the composition.")  # noqa: N815
    dryRun = ExactBooleanField(  # noqa: N815
        required=False, help_text="Only tell what the request would do: nothing is stored or rendered."
    )


@extend_schema_serializer(component_name="CreateRender")
class CreateQueuedRenderSerializer(CreateRenderSerializer):
    """With a ``template``, the input props are any object, and may be left out."""

    template = TemplateNameField(
        required=False,
        max_length=100,
        help_text="Name of a template; without it, the default one, which takes code, durationInFrames and fps.",
    )
    kind = serializers.ChoiceField(
        choices=Render.Kind.choices,
        default=Render.Kind.VIDEO,
        help_text="A still is one frame, rendered as a picture.",
        error_messages={name: f"Use one of {', '.join(Render.Kind.values)}." for name in ("invalid_choice", "null")},
    )
    options = OptionsField(default=dict, help_text="Remotion's options: GET /api/options/ lists them.")
    frame = FrameField(required=False, help_text="Of a still: which frame; 0 by default, -1 is the last.")
    poster = PosterField(required=False, help_text='Of a video: {"frame": 30} or {"seconds": 1} becomes its poster.')
    reuse = ExactBooleanField(
        required=False, help_text="Answer with an earlier render of the same, if there is one, instead of a new one."
    )
    webhookUrl = WebhookUrlField(  # noqa: N815
        required=False, help_text="Where the end of this render is posted, signed as by your endpoints."
    )
    metadata = MetadataField(
        required=False, help_text=f"Up to {MAX_PAIRS} pairs of strings of yours, by which renders are found."
    )
    externalId = ExternalIdField(  # noqa: N815
        required=False, help_text=f"The render's name in your system, up to {MAX_EXTERNAL_ID} characters."
    )
    uniqueExternalId = ExactBooleanField(  # noqa: N815
        required=False, help_text="Refuse the request if you have a render with this externalId."
    )
    priority = PriorityField(
        required=False,
        help_text="0 by default. A higher one starts sooner; over 0 takes the permission start_render_with_priority.",
    )

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, Mapping) and data.get("template") is not None:
            self.fields["inputProps"] = ObjectField(default=dict)
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        other = {Render.Kind.STILL: "poster", Render.Kind.VIDEO: "frame"}[attrs["kind"]]
        if other in attrs:
            raise serializers.ValidationError({other: [f"A {attrs['kind']} has no {other}: leave it out."]})
        if attrs.get("uniqueExternalId") and "externalId" not in attrs:
            raise serializers.ValidationError({"uniqueExternalId": ["Send the externalId that shall be unique."]})
        if attrs["kind"] == Render.Kind.STILL:
            attrs.setdefault("frame", 0)
        return attrs


class IdempotencyKeySerializer(serializers.Serializer):
    """The header ``Idempotency-Key``."""

    key = serializers.RegexField(
        r"^[\x20-\x7e]{1,255}$",
        required=False,
        trim_whitespace=False,
        error_messages={
            "invalid": "Send 1 to 255 printable ASCII characters.",
            "blank": "Send 1 to 255 printable ASCII characters.",
        },
    )


class DownloadQuerySerializer(QuerySerializer):
    json = serializers.ChoiceField(
        choices=["true"],
        required=False,
        allow_blank=True,
        help_text="Sent, it answers the address as JSON instead of leading there.",
        error_messages={"invalid_choice": "Send json without a value, or leave it out."},
    )
