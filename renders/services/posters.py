"""Posters: when a video has succeeded, one frame of it is rendered as a still."""

from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone

from renders.models import Event, Render
from renders.remotion.option import STILL
from renders.remotion.options import OPTIONS, extension
from renders.services.events.publish import Types

IMAGE_FORMAT = "jpeg"
KEPT_OPTIONS = frozenset(option.name for option in OPTIONS if STILL in option.kinds) - {"imageFormat", "fileName"}
"""A video's options that its poster is rendered with."""


def queue_posters(ended: Iterable[Render]) -> Types:
    """Queue the posters of the videos among these that have succeeded; call it in the transaction that ended them.

    Each video has one: a constraint refuses a second, whichever process inserts it. Return the events to publish.
    """
    wanted = [render.pk for render in ended if render.status == Render.Status.SUCCEEDED and render.poster_request]
    if not wanted:
        return {}
    posters = [_poster(video) for video in Render.objects.filter(pk__in=wanted, posters=None)]
    Render.objects.bulk_create(posters, ignore_conflicts=True)
    # Those that conflicted were not inserted, and nothing happened to them: ``publish`` finds no row.
    return {poster.pk: [Event.Type.QUEUED] for poster in posters}


def _poster(video: Render) -> Render:
    options = {name: value for name, value in video.options.items() if name in KEPT_OPTIONS}
    options["imageFormat"] = IMAGE_FORMAT
    now = timezone.now()
    copied = (
        "owner_id", "template_id", "template_version", "input_props", "composition", "serve_url", "function_name",
        "function_timeout", "region", "configured_bucket", "remotion_version", "fps", "priority",
    )  # fmt: skip
    return Render(
        **{name: getattr(video, name) for name in copied},
        kind=Render.Kind.STILL,
        status=Render.Status.QUEUED,
        poster_of=video,
        frame=_frame(video),
        options=options,
        codec="",
        extension=extension(options, kind=STILL),
        slots_needed=1,
        created_at=now,
        queue_rank=now - timedelta(minutes=video.priority),
    )


def _frame(video: Render) -> int:
    """Return the composition's frame that was asked for. Seconds after the video's end mean its last frame."""
    request = video.poster_request or {}
    if "frame" in request:
        return int(request["frame"])
    after = round(request["seconds"] * (video.fps or 0))
    if video.duration_in_frames:
        after = min(after, (video.duration_in_frames - 1) * video.options.get("everyNthFrame", 1))
    chosen = video.options.get("frameRange", 0)
    return after + int(chosen[0] if isinstance(chosen, list) else chosen)
