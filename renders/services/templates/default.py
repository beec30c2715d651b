"""The default template, which the settings describe: what its input props must be, as a JSON Schema."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from renders.remotion.option_table import MAX_FPS
from renders.remotion.options import MAX_FRAMES
from renders.services.errors import InvalidInputProps
from renders.services.templates.input_props import input_props_errors

MAX_VIDEO_SECONDS = 24 * 3600
TOO_LONG = "At this rate the video is over 24 hours long: send more frames a second, or fewer frames."


def default_input_schema() -> dict[str, Any]:
    """Return the schema of the input props of the default template; further props are passed on."""
    return {
        "type": "object",
        "properties": {
            "code": {
                "title": "Code",
                "description": "The code, or the prompt, of the motion graphics.",
                "type": "string",
                "pattern": r"\S",
                "maxLength": settings.REMOTION_MAX_CODE_LENGTH,
            },
            "durationInFrames": {
                "title": "Length in frames",
                "type": "integer",
                "minimum": 1,
                "maximum": MAX_FRAMES,
                "default": 150,
            },
            "fps": {
                "title": "Frames a second",
                "type": "number",
                "exclusiveMinimum": 0,
                "maximum": MAX_FPS,
                "default": 30,
            },
        },
        "required": ["code", "durationInFrames", "fps"],
    }


def validate_default_input_props(input_props: Mapping[str, Any]) -> dict[str, Any]:
    """Return input props of the default template, with a whole length as an integer. Raise InvalidInputProps."""
    if errors := input_props_errors(default_input_schema(), input_props):
        raise InvalidInputProps(errors)
    length, fps = int(input_props["durationInFrames"]), input_props["fps"]
    if length / fps > MAX_VIDEO_SECONDS:
        raise InvalidInputProps({"inputProps.fps": TOO_LONG})
    return {**input_props, "durationInFrames": length}
