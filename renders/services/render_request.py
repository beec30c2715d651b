"""What is asked to be rendered: resolved from its template, checked, and complete."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from renders.models import Render, Template
from renders.remotion.errors import InvalidOptions
from renders.remotion.option_table import MAX_FRAMES
from renders.remotion.options import (
    FRAMES_PER_LAMBDA,
    MAX_LAMBDAS_PER_RENDER,
    check_composition,
    codec_of,
    extension,
    frames_to_render,
    slots_needed,
)
from renders.remotion.site import configured_site
from renders.services.errors import InvalidRequest

Kind = Render.Kind
DEFAULT_LENGTH = 600
"""Frames for which renderers are reckoned where no length is known."""

TOO_LONG = f"Send a whole number up to {MAX_FRAMES:,}."
LENGTH_UNKNOWN = "The length of this composition is not known before it is rendered: send concurrency."


@dataclass(frozen=True, kw_only=True)
class RenderRequest:
    """A render as it was asked for. ``input_props`` and ``options`` are merged with the template's and validated."""

    input_props: Mapping[str, Any]
    kind: str = Kind.VIDEO
    template: Template | None = None
    """None: the default template, which the settings describe."""
    options: Mapping[str, Any] = field(default_factory=dict)
    frame: int | None = None
    """Of a still: which frame; negative ones count from the end."""
    poster: Mapping[str, float] | None = None
    """Of a video: which frame becomes its poster, ``{"frame": 30}`` or ``{"seconds": 1}``."""
    reuse: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Pairs that mean something to the owner; Remotion does not get them."""
    external_id: str = ""
    """The render's name in the owner's system."""
    webhook_url: str = ""
    """Where the end of the render is posted, besides the owner's endpoints."""
    unique_external_id: bool = False
    """Refuse the request if the owner has a render with this external id."""
    sent: Mapping[str, Any] = field(default_factory=dict)
    """The body of the request, without what its template adds: a change of the template does not make it another."""

    def row_fields(self) -> dict[str, Any]:
        """Return the fields of the row. Raise SetupError if no site is configured, InvalidOptions, InvalidRequest."""
        composition_length = self._composition_length()
        _check_frame(self, composition_length)
        length = (
            None
            if composition_length is None
            else frames_to_render(self.options, duration_in_frames=composition_length)
        )
        self._check_options(composition_length)
        division = self._division(length)
        site = (self.template.site if self.template else "") or configured_site()
        return {
            "kind": self.kind,
            "template": self.template,
            "template_version": self.template.version if self.template else None,
            "input_props": self.input_props,
            "options": self.options,
            "frame": self.frame,
            "poster_request": self.poster,
            "metadata": dict(self.metadata),
            "external_id": self.external_id,
            "webhook_url": self.webhook_url,
            "serve_url": site,
            "composition": self.template.composition if self.template else settings.REMOTION_COMPOSITION,
            "codec": codec_of(self.options, kind=self.kind),
            "extension": extension(self.options, kind=self.kind),
            "duration_in_frames": None if self.kind == Kind.STILL else length,
            "fps": self._fps(),
            "slots_needed": slots_needed(length, kind=self.kind, **division),
            **division,
        }

    def _check_options(self, composition_length: int | None) -> None:
        """Raise InvalidOptions if the options do not fit what is known of the composition."""
        if self.kind == Kind.STILL:
            return
        width, height = (self.template.width, self.template.height) if self.template else (None, None)
        check_composition(
            self.options, duration_in_frames=composition_length, fps=self._fps(), width=width, height=height
        )

    def _division(self, length: int | None) -> dict[str, int | None]:
        """Return how the frames are divided among functions: so many each, or so many functions."""
        if self.kind == Kind.STILL:
            return {"frames_per_lambda": None, "concurrency": None}
        if frames := self.options.get("framesPerLambda"):
            if length is None:
                raise InvalidOptions({"framesPerLambda": LENGTH_UNKNOWN})
            return {"frames_per_lambda": frames, "concurrency": None}
        if number := self.options.get("concurrency"):
            return {"frames_per_lambda": None, "concurrency": number}
        if self.template is None:
            return {"frames_per_lambda": FRAMES_PER_LAMBDA, "concurrency": None}
        expected = length or self.template.duration_in_frames or DEFAULT_LENGTH
        # One function of the limit is the main one.
        most = max(1, min(MAX_LAMBDAS_PER_RENDER, settings.REMOTION_CONCURRENCY - 1))
        return {"frames_per_lambda": None, "concurrency": min(most, math.ceil(expected / FRAMES_PER_LAMBDA))}

    def _composition_length(self) -> int | None:
        """Return the composition's frames; None if they are not known before it is rendered. Raise InvalidRequest."""
        if forced := self.options.get("forceDurationInFrames"):
            return int(forced)
        lengths = Template.Length
        if self.template and self.template.length == lengths.FIXED:
            return self.template.duration_in_frames
        if self.template is None or self.template.length == lengths.INPUT_PROPS:
            length = _whole(self.input_props.get("durationInFrames"))
            if length and length > MAX_FRAMES:
                raise InvalidRequest({"inputProps.durationInFrames": TOO_LONG})
            return length
        return None

    def _fps(self) -> float | None:
        if forced := self.options.get("forceFps"):
            return float(forced)
        return self.template.fps if self.template else self.input_props.get("fps")


def _whole(value: object) -> int | None:
    is_whole = isinstance(value, int | float) and not isinstance(value, bool) and value >= 1 and value == int(value)
    return int(value) if is_whole else None  # type: ignore[call-overload]


def _check_frame(request: RenderRequest, length: int | None) -> None:
    """Raise InvalidRequest if the composition has no such frame."""
    name, frame = ("frame", request.frame) if request.kind == Kind.STILL else ("poster", _poster_frame(request))
    if length is None or frame is None or -length <= frame < length:
        return
    raise InvalidRequest(
        {name: f"The composition has {length:,} frames: send 0 to {length - 1:,}, or -1 for the last."}
    )


def _poster_frame(request: RenderRequest) -> int | None:
    return None if request.poster is None else request.poster.get("frame")  # type: ignore[return-value]
