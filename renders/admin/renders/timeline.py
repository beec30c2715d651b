"""The timeline of a render's page: what happened to it, and who pressed what in the admin."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest

from renders.admin import display
from renders.admin.links import address_of
from renders.models import Render
from renders.services.timeline import ASKED, CANCEL_ASKED, MOST, Kind, Moment, timeline

ICONS = {
    Kind.REQUEST: "add_circle",
    Kind.QUEUE: "hourglass_empty",
    Kind.START: "play_circle",
    Kind.FRAME: "movie",
    Kind.RETRY: "replay",
    Kind.SUCCESS: "check_circle",
    Kind.FAILURE: "error",
    Kind.CANCEL: "cancel",
    Kind.WEBHOOK_IN: "call_received",
    Kind.WEBHOOK_OUT: "call_made",
    Kind.PERSON: "person",
}
"""Names of Material Symbols."""


LOGGED = {ASKED: ("Started with ", "Started as "), CANCEL_ASKED: ("Asked to cancel", "Cancelled")}
"""What the row tells, by how it begins, and how the log's sentences begin that tell the same, with who did it."""
SOON = timedelta(seconds=10)
"""The log is written so soon after the row."""


@dataclass(frozen=True)
class Shown:
    """A moment, as the page shows it."""

    moment: Moment
    at: str
    icon: str
    address: str
    """Of the page that says more of it; empty if there is none that the person may see."""


def shown_timeline(request: HttpRequest, render: Render) -> list[Shown]:
    """Return what happened to a render, and what people did with it in the admin, the oldest first."""
    moments, log = timeline(render), list(_of_log(render))
    for beginning, sentences in LOGGED.items():
        told = next((moment for moment in moments if moment.what.startswith(beginning)), None)
        done = [entry for entry in log if told and entry.what.startswith(sentences) and _is_same(told, entry)]
        if told and done:
            moments[moments.index(told)] = _joined(told, done[0])
            log.remove(done[0])
    return [_shown(request, moment) for moment in sorted([*moments, *log], key=lambda moment: moment.at)]


def who_cancelled(happened: list[Shown]) -> str:
    """Return who asked for the render to be cancelled; empty if the log does not say."""
    return next((shown.moment.by for shown in happened if shown.moment.kind == Kind.CANCEL and shown.moment.by), "")


def _of_log(render: Render) -> Iterator[Moment]:
    log = LogEntry.objects.filter(object_id=str(render.pk), content_type=ContentType.objects.get_for_model(Render))
    for entry in log.select_related("user").order_by("-id")[:MOST]:
        sentence = entry.get_change_message().removesuffix(".")
        yield Moment(entry.action_time, Kind.PERSON, sentence, by=entry.user.get_username())


def _is_same(told: Moment, logged: Moment) -> bool:
    return timedelta(0) <= logged.at - told.at < SOON


def _joined(told: Moment, logged: Moment) -> Moment:
    """Return what the row and the log tell as one: what was done, for whom, by whom."""
    if told.kind == Kind.CANCEL:
        return replace(told, what="Asked to cancel", by=logged.by)
    whose = told.what.removeprefix(ASKED)
    for_another = "" if whose == f", for {logged.by}" else whose
    return replace(told, what=f"{logged.what}{for_another}", detail="", by=logged.by)


def _shown(request: HttpRequest, moment: Moment) -> Shown:
    address = address_of(request, moment.about) if moment.about else ""
    return Shown(moment, display.moment(moment.at), ICONS[moment.kind], address)
