"""progress.json as Remotion writes it: the fields that are used, and how they are parsed."""

from typing import Any

import msgspec

from renders.remotion.errors import UnusableResponse
from renders.remotion.json import parse_json

TORN = "S3 answered with a progress.json that is torn. It is read again."


class _CamelCase(msgspec.Struct, rename="camel"):
    """A part of the file. Keys that are not named here are skipped, among them the input props."""


class FileError(_CamelCase):
    """One error or warning that Remotion reported."""

    # Any: an error of an unexpected shape must not hide that the render has ended.
    type: Any = None
    name: Any = None
    message: Any = None
    stack: Any = None
    chunk: Any = None
    frame: Any = None
    attempt: Any = None
    total_attempts: Any = None
    is_fatal: bool = False
    will_retry: bool = False

    @property
    def ends_render(self) -> bool:
        return self.is_fatal and not self.will_retry


class Timing(_CamelCase):
    """When one chunk was rendered, in milliseconds since 1970."""

    start: float
    rendered: float


class Retry(_CamelCase):
    """A chunk that is rendered once more, since ``time`` in milliseconds since 1970."""

    chunk: int
    attempt: int
    """2 is the first repetition."""
    time: float


class Cost(_CamelCase):
    estimated_cost: float
    currency: str


class PostRenderData(_CamelCase):
    """Written when the render has succeeded."""

    cost: Cost
    output_size: int
    time_to_finish: float
    estimated_billing_duration_in_milliseconds: float
    errors: list[FileError]


class OutputObject(msgspec.Struct, rename="camel", frozen=True):
    """Where an output is that was not to be stored beside its render's progress.json."""

    bucket_name: str
    key: str


class Dimensions(_CamelCase):
    """Of the output, in pixels: the composition's times the scale, so that they can be fractions."""

    width: float
    height: float


class Artifact(_CamelCase):
    """A further file that the composition emitted, in the bucket of the output."""

    filename: str
    size_in_bytes: int
    s3_key: str


class RenderMetadata(_CamelCase):
    """Written when the composition is known."""

    started_date: float
    total_chunks: int
    estimated_render_lambda_invokations: int
    memory_size_in_mb: int
    region: str
    render_id: str
    type: str = "video"
    """``video``, also for audio and GIFs, or ``still``."""
    codec: str | None = None
    dimensions: Dimensions | None = None
    scale: float = 1
    out_name: str | OutputObject | None = None
    # A still has neither.
    every_nth_frame: int = 1
    frame_range: tuple[int, int] = (0, 0)


class ProgressFile(_CamelCase):
    """A progress.json, as far as it is used."""

    chunks: list[int]
    frames_rendered: int
    # ffmpeg measures audio in seconds, so these two can be fractions of a frame.
    frames_encoded: float
    combined_frames: float
    lambdas_invoked: int
    post_render_data: PostRenderData | None
    render_metadata: RenderMetadata | None
    timings: list[Timing]
    errors: list[FileError]
    timeout_timestamp: float
    """Since 1970, in milliseconds; of a still, a number that is no time."""
    serve_url_opened: float | None
    composition_validated: float | None
    retries: list[Retry] = msgspec.field(default_factory=list)
    received_artifact: list[Artifact] = msgspec.field(default_factory=list)
    """Of a still it stays empty: the function's answer lists them."""
    fatal_error_timestamp: float | None = None
    """Functions of older versions, such as 4.0.403, do not write it."""


def parse_progress(body: bytes) -> ProgressFile:
    """Parse a progress.json. Raise UnusableResponse if it is torn, or not such a file."""
    try:
        return _DECODER.decode(body)
    except msgspec.ValidationError as err:
        raise UnusableResponse(f"S3 answered with a progress.json that cannot be understood: {err}.") from err
    except (ValueError, RecursionError) as err:
        if b"\\u" in body:
            return _with_text_replaced(body)
        raise UnusableResponse(TORN) from err


_DECODER = msgspec.json.Decoder(ProgressFile)


def _with_text_replaced(body: bytes) -> ProgressFile:
    """Parse a file with half a surrogate pair in its text, which msgspec refuses: errors may hold cut text."""
    try:
        return msgspec.convert(parse_json(body, replace=True), ProgressFile)
    except ValueError as err:
        raise UnusableResponse(TORN) from err
