"""How renders are now: a label, a bar, a sentence, which ``live.js`` keeps up to date in any page of the admin."""

import uuid
from collections.abc import Iterable
from typing import TypedDict
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.forms import Media, Script
from django.http import HttpRequest, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timesince import timesince

from renders.admin.labels import Tone
from renders.admin.read_only import ReadOnlyAdmin
from renders.models import Render
from renders.services.explain import is_unconfirmed
from renders.services.refresh.lease import mark_watched
from renders.services.waiting import waiting

MAX_IDS = 100
FIELDS = (
    "status",
    "failure_reason",
    "error",
    "progress",
    "owner_id",
    "slots_needed",
    "dispatch_after",
    "submitted_at",
    "progressed_at",
    "refreshed_at",
    "cancel_requested_at",
    "refresh_state__answered_at",
)
"""What it takes to say how a render is."""

Status = Render.Status
LABELS: dict[Render.Status, tuple[str, Tone]] = {
    Status.QUEUED: ("Queued", "neutral"),
    Status.SUBMITTING: ("Submitting", "info"),
    Status.RENDERING: ("Rendering", "info"),
    Status.SUCCEEDED: ("Succeeded", "success"),
    Status.FAILED: ("Failed", "danger"),
    Status.CANCELLED: ("Cancelled", "neutral"),
}
"""What each status is called, and its tone."""


def live_media() -> Media:
    """Return what a page loads that has ``live_markup()`` in it."""
    script = Script("renders/live.js", defer=True, **{"data-address": reverse("admin:renders_render_live")})
    return Media(js=[script], css={"all": ["renders/live.css"]})  # type: ignore[list-item]


class LiveState(TypedDict):
    """How a render is, as plain text and numbers, under the names that ``live.js`` reads."""

    status: str
    isActive: bool
    progress: float
    label: str
    note: str
    tone: str


def live_states(renders: Iterable[Render]) -> dict[UUID, LiveState]:
    """Return how each of these is. The queue is asked once, if one of them is in it."""
    renders = list(renders)
    places = waiting(renders)
    return {render.pk: _state(render, str(places.get(render.pk, ""))) for render in renders}


def live_state(render: Render) -> LiveState:
    """Return how one render is."""
    return live_states([render])[render.pk]


def live_markup(render: Render, state: LiveState | None = None) -> SafeString:
    """Return the label, bar, percentage and sentence of a render; ``state`` is how it is, if that is known already."""
    state = state or live_state(render)
    return format_html(
        '<div class="live" data-render="{id}"{active} data-status="{status}" data-tone="{tone}">'
        '<span class="live-label" data-live="label">{label}</span>'
        '<span class="live-progress"><progress data-live="bar" max="1" value="{progress}" aria-label="Progress">'
        '</progress> <span data-live="percent">{percent}</span></span>'
        '<p class="live-note" data-live="note">{note}</p></div>',
        id=render.pk,
        active=mark_safe(" data-active") if state["isActive"] else "",
        percent=f"{state['progress']:.0%}",
        **{**state, "progress": f"{state['progress']:.4f}"},
    )


class LiveRenders(ReadOnlyAdmin):
    """The address that ``live.js`` asks."""

    @property
    def media(self) -> Media:
        return super().media + live_media()

    def get_urls(self) -> list[URLPattern]:
        live = path("live/", self.admin_site.admin_view(self.live), name="renders_render_live")
        return [live, *super().get_urls()]

    def live(self, request: HttpRequest) -> JsonResponse:
        """Answer how the renders are whose ids are asked for; those that do not exist are left out."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            ids = {uuid.UUID(text) for text in request.GET.get("ids", "").split(",") if text}
        except ValueError:
            return JsonResponse({"error": "ids: Send UUIDs with commas between them."}, status=400)
        if len(ids) > MAX_IDS:
            return JsonResponse({"error": f"ids: Send at most {MAX_IDS}."}, status=400)
        rows = Render.objects.filter(pk__in=ids).order_by().select_related("refresh_state").only(*FIELDS)
        states = live_states(rows)
        if rendering := [pk for pk, state in states.items() if state["status"] == Status.RENDERING]:
            mark_watched(rendering)
        return JsonResponse({"renders": {str(pk): state for pk, state in states.items()}})


def _state(render: Render, place: str) -> LiveState:
    label, tone = label_of(render)
    return {
        "status": render.status,
        "isActive": not render.is_terminal,
        "progress": render.progress,
        "label": label,
        "note": _note(render, place),
        "tone": tone,
    }


def label_of(render: Render) -> tuple[str, Tone]:
    """Return the words for how a render is, and their tone."""
    if render.failure_reason:
        return f"Failed: {render.get_failure_reason_display().partition(':')[0].lower()}", "danger"
    if render.cancel_requested_at and not render.is_terminal:
        return "Cancelling", "warning"
    if is_unconfirmed(render):
        return "Unconfirmed", "warning"
    if render.is_stalled:
        return "Stalled", "warning"
    return LABELS[Status(render.status)]


def _note(render: Render, place: str) -> str:
    if render.status in (Status.SUCCEEDED, Status.CANCELLED):
        return ""
    if render.error and not place:
        return render.error
    if render.is_stalled and (moved_at := render.progressed_at or render.submitted_at):
        return f"No progress for {timesince(moved_at, depth=1)}."
    return place
