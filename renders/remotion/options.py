"""The options of a render: check them, and say what they mean for its payload and its output.

``option_table`` has the options, ``option_values`` checks each, ``option_rules`` what goes together.
"""

import math
from collections.abc import Mapping
from itertools import islice
from typing import Any

from renders.remotion.codecs import CODECS, LOSSLESS_AUDIO, content_type, media_type
from renders.remotion.errors import InvalidOptions
from renders.remotion.option import STILL, VIDEO, Option
from renders.remotion.option_rules import (
    EXCLUSIVE,
    audio_codec_of_video,
    broken_rules,
    codec_of_video,
    composition_problems,
    length_problems,
)
from renders.remotion.option_table import MAX_LAMBDAS_PER_RENDER, MIN_FRAMES_PER_LAMBDA, OPTIONS, PRIVACIES
from renders.remotion.option_values import normalised, value_problem

__all__ = [
    "MAX_LAMBDAS_PER_RENDER",
    "MIN_FRAMES_PER_LAMBDA",
    "OPTIONS",
    "PRIVACIES",
    "InvalidOptions",
    "Option",
    "check_composition",
    "codec_of",
    "combine_options",
    "content_type",
    "download_name",
    "extension",
    "frames_to_render",
    "lambda_payload",
    "media_type",
    "slots_needed",
    "validate_options",
]

CODEC = "h264"
STILL_FORMAT = "png"
FRAMES_PER_LAMBDA = 60
MAX_FRAMES = FRAMES_PER_LAMBDA * MAX_LAMBDAS_PER_RENDER
MAX_ERRORS = 20
MAX_NAME_LENGTH = 100


def validate_options(options: Mapping[str, Any], *, kind: str, trusted: bool = False) -> dict[str, Any]:
    """Return the options as they are stored: those that were sent, in one form. A null is not stored.

    Only staff may weaken the browser's security (``trusted``). Raise InvalidOptions.
    """
    stored = _checked_values(options, kind=kind, trusted=trusted)
    if problems := broken_rules(stored, kind=kind):
        raise InvalidOptions(problems)
    return stored


def combine_options(defaults: Mapping[str, Any], requested: Mapping[str, Any], *, kind: str) -> dict[str, Any]:
    """Return a template's default options overridden by a request's, validated as ``validate_options`` does.

    A null takes a default away, and so does an option that the default does not go with: a kind or a
    codec that does not take it, ``crf`` where the default is a bitrate. Raise InvalidOptions.
    """
    sent = _checked_values(requested, kind=kind, trusted=False)
    combined = {**_kept(_flattened(defaults), requested=_flattened(requested), kind=kind), **sent}
    if "chromiumOptions" in sent:
        combined["chromiumOptions"] = {**(defaults.get("chromiumOptions") or {}), **sent["chromiumOptions"]}
    while problems := broken_rules(combined, kind=kind):
        unfit = [name for name in problems if name in combined and name not in sent]
        if not unfit:
            raise InvalidOptions(problems)
        combined = {name: value for name, value in combined.items() if name not in unfit}
    return combined


def _kept(defaults: Mapping[str, Any], *, requested: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return the defaults that a request leaves in force, as far as each can be told by itself."""
    replaced = {name for pair in EXCLUSIVE for name in pair if any(requested.get(other) for other in pair)}
    return {
        name: normalised(value)
        for name, value in defaults.items()
        if value is not None
        and name not in requested
        and name not in replaced
        and not value_problem(name, value, kind=kind, trusted=True)
    }


def check_composition(
    options: Mapping[str, Any],
    *,
    duration_in_frames: int | None = None,
    fps: float | None = None,
    width: int | None = None,
    height: int | None = None,
) -> None:
    """Raise InvalidOptions if validated options do not fit what is known of the composition before the render."""
    problems = composition_problems(options, fps=fps, width=width, height=height)
    if duration_in_frames is not None:
        frames = frames_to_render(options, duration_in_frames=duration_in_frames)
        problems |= length_problems(options, duration_in_frames=duration_in_frames, frames=frames)
    if problems:
        raise InvalidOptions(problems)


def frames_to_render(options: Mapping[str, Any], *, duration_in_frames: int) -> int:
    """Return how many frames a video of a composition of this length has."""
    length = options.get("forceDurationInFrames", duration_in_frames)
    chosen = options.get("frameRange", [0, None])
    first, last = chosen if isinstance(chosen, list) else (chosen, chosen)
    end = length if last is None else min(last + 1, length)
    return len(range(first, end, options.get("everyNthFrame", 1)))


def slots_needed(
    duration_in_frames: int | None,
    *,
    kind: str = VIDEO,
    frames_per_lambda: int | None = None,
    concurrency: int | None = None,
) -> int:
    """Return how many functions a render runs at once at most: its renderers, and the main one.

    ``duration_in_frames`` is the number of frames that are rendered; None: it is not known before.
    Without either way to divide them, each function renders ``FRAMES_PER_LAMBDA``.
    """
    if kind == STILL:
        return 1
    if concurrency:
        return concurrency + 1
    if duration_in_frames is None:
        return MAX_LAMBDAS_PER_RENDER + 1
    return math.ceil(duration_in_frames / (frames_per_lambda or FRAMES_PER_LAMBDA)) + 1


def codec_of(options: Mapping[str, Any], *, kind: str) -> str:
    """Return the codec; empty for a still."""
    return "" if kind == STILL else codec_of_video(options)


def extension(options: Mapping[str, Any], *, kind: str) -> str:
    """Return the extension of the output's file, without a dot: the one that Remotion takes with these codecs."""
    if kind == STILL:
        return options.get("imageFormat", STILL_FORMAT)
    codec = CODECS[codec_of(options, kind=kind)]
    return codec.audio.get(audio_codec_of_video(options) or "", codec.extension)


def download_name(options: Mapping[str, Any], *, kind: str) -> str:
    """Return the name of the downloaded file: the one that was asked for, or such as ``video.mp4``."""
    suffix = extension(options, kind=kind)
    return options.get("fileName", f"{media_type(suffix)}.{suffix}")


def lambda_payload(options: Mapping[str, Any], *, kind: str) -> dict[str, Any]:
    """Return the keys of Remotion's payload that these options set.

    ``privacy``, ``framesPerLambda`` and ``concurrency`` are among them only if the options have them.
    """
    payload = {name: value for name, value in options.items() if name != "fileName"}
    if kind == STILL:
        payload.setdefault("imageFormat", STILL_FORMAT)
    else:
        payload.setdefault("codec", CODEC)
    if options.get("preferLossless") or options.get("audioCodec") == LOSSLESS_AUDIO:
        # Remotion names the file by `audioCodec`, and its functions render the sound by `preferLossless`.
        # One without the other makes a file with the wrong name, or sound that is longer than the picture.
        payload |= {"audioCodec": LOSSLESS_AUDIO, "preferLossless": True}
    payload["downloadBehavior"] = {"type": options.get("downloadBehavior", "download")}
    if payload["downloadBehavior"]["type"] == "download":
        payload["downloadBehavior"]["fileName"] = download_name(options, kind=kind)
    return payload


def _checked_values(options: Mapping[str, Any], *, kind: str, trusted: bool) -> dict[str, Any]:
    sent = _flattened(options)
    problems = (
        (name[:MAX_NAME_LENGTH], problem)
        for name, value in sent.items()
        if (problem := value_problem(name, value, kind=kind, trusted=trusted))
    )
    if errors := dict(islice(problems, MAX_ERRORS)):
        raise InvalidOptions(errors)
    return {name: normalised(value) for name, value in sent.items() if value is not None}


def _flattened(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options with Remotion's object ``downloadBehavior`` as our two options."""
    behavior = options.get("downloadBehavior")
    if not isinstance(behavior, dict) or not set(behavior) <= {"type", "fileName"}:
        return dict(options)
    flat = {**options, "downloadBehavior": behavior.get("type", "")}
    return {"fileName": behavior["fileName"], **flat} if "fileName" in behavior else flat
