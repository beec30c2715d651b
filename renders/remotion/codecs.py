"""Remotion's codecs: their files, their audio, and what a file of each is to a browser."""

from collections.abc import Mapping
from dataclasses import dataclass

LOSSLESS_AUDIO = "pcm-16"

SINGLE_FUNCTION_AUDIO = (("h264", "mp3"), ("prores", "aac"))
"""Codecs with audio codecs that Remotion can only make in one function.

Joining the parts of several functions, it makes the sound longer than the picture (mp3), or fails (aac).
"""


@dataclass(frozen=True)
class Codec:
    """What Remotion Lambda makes with one value of ``codec``."""

    extension: str
    """Of the output's file, without a dot, where no audio codec is chosen."""
    audio: Mapping[str, str]
    """Its audio codecs, Remotion's default first, each with the extension that the file has with it."""
    crf: tuple[int, int] | None = None
    """The lowest and the highest ``crf``; None: it has none."""
    has_picture: bool = True


CODECS: Mapping[str, Codec] = {
    "h264": Codec("mp4", {"aac": "mp4", "mp3": "mp4", "pcm-16": "mkv"}, crf=(1, 51)),
    "h265": Codec("mp4", {"aac": "mp4", "pcm-16": "mkv"}, crf=(0, 51)),
    "vp8": Codec("webm", {"opus": "webm", "pcm-16": "mkv"}, crf=(4, 63)),
    "vp9": Codec("webm", {"opus": "webm", "pcm-16": "mkv"}, crf=(0, 63)),
    "prores": Codec("mov", {"pcm-16": "mov", "aac": "mov"}),
    "gif": Codec("gif", {}),
    "mp3": Codec("mp3", {"mp3": "mp3", "pcm-16": "wav"}, has_picture=False),
    "aac": Codec("aac", {"aac": "aac", "pcm-16": "wav"}, has_picture=False),
    "wav": Codec("wav", {"pcm-16": "wav"}, has_picture=False),
}

WITH_PICTURE = tuple(name for name, codec in CODECS.items() if codec.has_picture)
WITH_AUDIO = tuple(name for name, codec in CODECS.items() if codec.audio)
WITH_CRF = tuple(name for name, codec in CODECS.items() if codec.crf)
AUDIO_CODECS = tuple(dict.fromkeys(name for codec in CODECS.values() for name in codec.audio))

STILL_EXTENSIONS = ("png", "jpeg", "webp", "pdf")
"""Values of a still's ``imageFormat``, each of which is its extension too."""

CONTENT_TYPES: Mapping[str, str] = {
    "mp4": "video/mp4",
    "mkv": "video/x-matroska",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "gif": "image/gif",
    "mp3": "audio/mpeg",
    "aac": "audio/x-aac",
    "wav": "audio/wave",
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "pdf": "application/pdf",
}
"""The types that Remotion stores its files with."""


def content_type(extension: str) -> str:
    """Return the Content-Type of an output with this extension."""
    return CONTENT_TYPES[extension]


def media_type(extension: str) -> str:
    """Return what shows such a file: ``video``, ``audio``, ``image`` or ``document``."""
    kind = content_type(extension).partition("/")[0]
    return "document" if kind == "application" else kind
