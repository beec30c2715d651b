"""Which options go together: what Remotion would refuse only after the render was paid for, with its reason.

Each rule gets options whose values are valid one by one, and yields the name of an option that
must change, with one sentence.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from renders.remotion.codecs import CODECS, LOSSLESS_AUDIO, SINGLE_FUNCTION_AUDIO
from renders.remotion.option import STILL, VIDEO
from renders.remotion.option_table import MAX_LAMBDAS_PER_RENDER, MAX_PIXELS, MIN_PIXELS, OPTIONS

Options = Mapping[str, Any]
Problems = Iterator[tuple[str, str]]

EXCLUSIVE = (("framesPerLambda", "concurrency"), ("crf", "videoBitrate"), ("audioCodec", "preferLossless"))
"""Pairs of which one may be set."""

MAX_GIF_FPS = 50
MAX_OPUS_KILOBITS = 512
JPEG_ONLY = "It can only be set if imageFormat is jpeg."


def broken_rules(options: Options, *, kind: str) -> dict[str, str]:
    """Return a sentence for each option that does not go with the others."""
    problems: dict[str, str] = {}
    for rule in RULES[kind]:
        for name, sentence in rule(options):
            problems.setdefault(name, sentence)
    return problems


def length_problems(options: Options, *, duration_in_frames: int, frames: int) -> dict[str, str]:
    """Return what of a video's options does not fit this length, of which ``frames`` are rendered."""
    problems = {}
    length = options.get("forceDurationInFrames", duration_in_frames)
    if any(end >= length for end in _ends(options)):
        problems["frameRange"] = f"The composition has {length:,} frames: the last one is {length - 1:,}."
    functions = -(-frames // options.get("framesPerLambda", frames or 1))
    if functions > MAX_LAMBDAS_PER_RENDER:
        problems["framesPerLambda"] = (
            f"{frames:,} frames would need {functions:,} functions, and Remotion takes at most"
            f" {MAX_LAMBDAS_PER_RENDER}: send {-(-frames // MAX_LAMBDAS_PER_RENDER):,} or more."
        )
    return problems


def composition_problems(
    options: Options, *, fps: float | None, width: int | None, height: int | None
) -> dict[str, str]:
    """Return what of the options does not fit the frame rate and the size, as far as they are known."""
    return {
        **dict(_gif_fps(options, fps=options.get("forceFps", fps))),
        **dict(_size(options, width=width, height=height)),
    }


def codec_of_video(options: Options) -> str:
    """Return the codec, Remotion's default included."""
    codec: str = options.get("codec", "h264")
    return codec


def audio_codec_of_video(options: Options) -> str | None:
    """Return the audio codec, Remotion's default included; None: there is no sound."""
    if options.get("preferLossless"):
        return LOSSLESS_AUDIO
    default = next(iter(CODECS[codec_of_video(options)].audio), None)
    chosen: str | None = options.get("audioCodec", default)
    return chosen


def _takes_codec(options: Options) -> Problems:
    codec = codec_of_video(options)
    for option in OPTIONS:
        # A switch that is off does nothing.
        is_set = options.get(option.name, False) is not False
        if is_set and VIDEO in option.kinds and codec not in option.codecs:
            yield option.name, f"The codec {codec} does not take it. It goes with {', '.join(option.codecs)}."


def _one_of_a_pair(options: Options) -> Problems:
    for first, second in EXCLUSIVE:
        if first in options and options.get(second, False) is not False:
            yield first, f"Send {first} or {second}, not both."


def _frame_range(options: Options) -> Problems:
    ends = _ends(options)
    if ends != sorted(ends):
        yield "frameRange", "The last frame is before the first one."


def _crf(options: Options) -> Problems:
    codec = codec_of_video(options)
    allowed = CODECS[codec].crf
    if "crf" in options and allowed and not allowed[0] <= options["crf"] <= allowed[1]:
        yield "crf", f"Send a whole number from {allowed[0]} to {allowed[1]} with the codec {codec}."


def _rate_control(options: Options) -> Problems:
    if "encodingMaxRate" in options and "encodingBufferSize" not in options:
        yield "encodingMaxRate", "It cannot be set without encodingBufferSize: send both."
    codec = codec_of_video(options)
    if "encodingBufferSize" in options and "videoBitrate" not in options and codec in ("vp8", "vp9"):
        yield "encodingBufferSize", f"The codec {codec} takes it only with videoBitrate: send both."


def _audio_codec(options: Options) -> Problems:
    codec, audio = codec_of_video(options), options.get("audioCodec")
    allowed = CODECS[codec].audio
    if audio and audio not in allowed:
        yield "audioCodec", f"The codec {codec} takes the audio codecs {', '.join(allowed)}."
    elif (codec, audio) in SINGLE_FUNCTION_AUDIO and options.get("concurrency") != 1:
        yield "audioCodec", f"With {codec}, Remotion makes {audio} in one function only: send concurrency 1 as well."


def _opus_bitrate(options: Options) -> Problems:
    bitrate = options.get("audioBitrate", "0K")
    kilobits = float(bitrate[:-1]) * (1000 if bitrate.endswith("M") else 1)
    if audio_codec_of_video(options) == "opus" and kilobits > MAX_OPUS_KILOBITS:
        yield "audioBitrate", f"The audio codec opus has at most {MAX_OPUS_KILOBITS}K."


def _transparency(options: Options) -> Problems:
    codec, pixel_format = codec_of_video(options), options.get("pixelFormat", "")
    if pixel_format == "yuva420p" and codec not in ("vp8", "vp9"):
        yield "pixelFormat", f"The codec {codec} has no yuva420p: use vp8 or vp9, or prores with yuva444p10le."
    elif pixel_format == "yuva444p10le" and not _is_prores_4444(options):
        yield "pixelFormat", "yuva444p10le needs the codec prores with the proResProfile 4444 or 4444-xq."
    elif pixel_format.startswith("yuva") and options.get("imageFormat") != "png":
        yield "imageFormat", f"The pixel format {pixel_format} is transparent and needs frames in png: send png."


def _is_prores_4444(options: Options) -> bool:
    return codec_of_video(options) == "prores" and options.get("proResProfile") in ("4444", "4444-xq")


def _frames_are_captured(options: Options) -> Problems:
    codec, image_format = codec_of_video(options), options.get("imageFormat")
    if image_format == "none" and CODECS[codec].has_picture:
        yield "imageFormat", f"The codec {codec} has a picture: send jpeg or png."
    elif image_format in ("jpeg", "png") and not CODECS[codec].has_picture:
        yield "imageFormat", f"The codec {codec} has no picture: send none, or leave it out."


def _forced_size(options: Options) -> Problems:
    return _size(options, width=None, height=None)


def _size(options: Options, *, width: int | None, height: int | None) -> Problems:
    for name, composed in (("forceWidth", width), ("forceHeight", height)):
        pixels = options.get(name, composed)
        scaled = round(pixels * options.get("scale", 1)) if pixels else MIN_PIXELS
        if not MIN_PIXELS <= scaled <= MAX_PIXELS:
            at_fault = name if name in options else "scale"
            side = name.removeprefix("force").lower()
            yield (
                at_fault,
                f"The output's {side} would be {scaled:,} pixels: {MIN_PIXELS} to {MAX_PIXELS:,} are possible.",
            )


def _gif_fps(options: Options, *, fps: float | None) -> Problems:
    if codec_of_video(options) == "gif" and fps and fps / options.get("everyNthFrame", 1) > MAX_GIF_FPS:
        name = "forceFps" if "forceFps" in options else "everyNthFrame"
        yield name, f"A GIF has at most {MAX_GIF_FPS} frames a second: send everyNthFrame, or a lower forceFps."


def _forced_gif_fps(options: Options) -> Problems:
    return _gif_fps(options, fps=options.get("forceFps"))


def _jpeg_quality_of_video(options: Options) -> Problems:
    if "jpegQuality" in options and options.get("imageFormat", "jpeg") != "jpeg":
        yield "jpegQuality", JPEG_ONLY


def _jpeg_quality_of_still(options: Options) -> Problems:
    if "jpegQuality" in options and options.get("imageFormat") != "jpeg":
        yield "jpegQuality", JPEG_ONLY


def _file_name(options: Options) -> Problems:
    if "fileName" in options and options.get("downloadBehavior", "download") != "download":
        yield "fileName", "It is the name of a download: send downloadBehavior download, or no fileName."


def _ends(options: Options) -> list[int]:
    """Return the first and the last frame of the range, as far as they are given."""
    frame_range = options.get("frameRange")
    ends = frame_range if isinstance(frame_range, list) else [frame_range]
    return [end for end in ends if end is not None]


Rule = Callable[[Options], Problems]
RULES: Mapping[str, tuple[Rule, ...]] = {
    VIDEO: (
        _takes_codec,
        _one_of_a_pair,
        _frame_range,
        _crf,
        _rate_control,
        _audio_codec,
        _opus_bitrate,
        _transparency,
        _frames_are_captured,
        _forced_size,
        _forced_gif_fps,
        _jpeg_quality_of_video,
        _file_name,
    ),
    STILL: (_jpeg_quality_of_still, _forced_size, _file_name),
}
