"""What is rendered, and how."""

import math
from dataclasses import dataclass
from typing import Self

from django.conf import settings

from renders.remotion.errors import SetupError

CODEC = "h264"
FRAMES_PER_LAMBDA = 60
MAX_LAMBDAS_PER_RENDER = 200
MAX_FRAMES = FRAMES_PER_LAMBDA * MAX_LAMBDAS_PER_RENDER
DOWNLOAD_NAME = "video.mp4"
PRIVACIES = ("private", "public", "no-acl")

SITE_MISSING = (
    "The environment variable REMOTION_SERVE_URL is missing. Add it, or REMOTION_SITE_NAME, to your .env file:"
    " it is what `npx remotion lambda sites create` printed."
)


@dataclass(frozen=True)
class RenderOptions:
    """The composition to render and how its output is stored."""

    serve_url: str
    """A full URL, or the name of a site in Remotion's bucket."""
    composition: str
    privacy: str
    """One of ``PRIVACIES``."""

    @classmethod
    def from_settings(cls) -> Self:
        """Return what the settings say now, complete or not."""
        return cls(
            serve_url=settings.REMOTION_SERVE_URL or settings.REMOTION_SITE_NAME,
            composition=settings.REMOTION_COMPOSITION,
            privacy=settings.REMOTION_PRIVACY,
        )

    def require_site(self) -> None:
        """Raise SetupError if no site is configured."""
        if not self.serve_url:
            raise SetupError(SITE_MISSING)


def slots_needed(duration_in_frames: int) -> int:
    """Return how many functions a render runs at once at most: one for each 60 frames, and the main one."""
    return math.ceil(duration_in_frames / FRAMES_PER_LAMBDA) + 1
