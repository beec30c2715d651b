"""What goes out: the table of options and that of codecs as JSON."""

from typing import Any

from renders.remotion.codecs import CODECS, content_type, media_type
from renders.remotion.option import VIDEO, Option


def described_option(option: Option) -> dict[str, Any]:
    """Return one option: its JSON Schema, what to send in words, and where it applies."""
    return {
        "name": option.name,
        "description": option.description,
        "schema": option.schema,
        "allowed": option.sentence,
        "default": option.default,
        "kinds": option.kinds,
        "codecs": option.codecs if VIDEO in option.kinds else [],
    }


def described_codec(name: str) -> dict[str, Any]:
    """Return one codec: its file, its audio codecs with the file of each, and its range of crf."""
    codec = CODECS[name]
    return {
        "codec": name,
        **_file(codec.extension),
        "audioCodecs": [{"audioCodec": audio, **_file(extension)} for audio, extension in codec.audio.items()],
        "crf": None if codec.crf is None else dict(zip(("minimum", "maximum"), codec.crf, strict=True)),
    }


def described_still(image_format: str) -> dict[str, Any]:
    """Return one image format of stills."""
    return {"imageFormat": image_format, **_file(image_format)}


def _file(extension: str) -> dict[str, Any]:
    return {
        "extension": extension,
        "contentType": content_type(extension),
        "mediaType": media_type(extension),
    }
