"""What happened to a render, and when: from its row, its events, and the webhooks in and out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from django.db.models import Model, Prefetch

from renders.models import Event, Render, WebhookAttempt, WebhookDelivery, WebhookMessage

MOST = 100
"""Of each kind of row, the newest so many are told."""

FAR_FUTURE = datetime(3000, 1, 1, tzinfo=UTC).timestamp()
ASKED = "Asked for"
CANCEL_ASKED = "Cancelling was asked for"
Type = Event.Type
Message = WebhookMessage.Status


class Kind(StrEnum):
    """What sort of thing happened."""

    REQUEST = "request"
    QUEUE = "queue"
    START = "start"
    FRAME = "frame"
    RETRY = "retry"
    SUCCESS = "success"
    FAILURE = "failure"
    CANCEL = "cancel"
    WEBHOOK_IN = "webhook-in"
    WEBHOOK_OUT = "webhook-out"
    PERSON = "person"


@dataclass(frozen=True)
class Moment:
    """One thing that happened."""

    at: datetime
    kind: Kind
    what: str
    detail: str = ""
    by: str = ""
    """Who did it, if it was a person."""
    is_bad: bool = False
    about: Model | None = None
    """The row that knows more of it."""


TOLD = {
    Type.QUEUED: (Kind.QUEUE, "Queued"),
    Type.STARTED: (Kind.START, "Started"),
    Type.SUCCEEDED: (Kind.SUCCESS, "Succeeded"),
    Type.FAILED: (Kind.FAILURE, "Failed"),
    Type.CANCELLED: (Kind.CANCEL, "Cancelled"),
    Type.RECOVERED: (Kind.START, "Goes on after all"),
}
"""What each type of event is called."""

ENDS = {
    Render.Status.SUCCEEDED: Type.SUCCEEDED,
    Render.Status.FAILED: Type.FAILED,
    Render.Status.CANCELLED: Type.CANCELLED,
}


def timeline(render: Render) -> list[Moment]:
    """Return what happened to a render, the oldest first, in four queries. What a row tells, no event need tell."""
    moments = [
        *_of_row(render),
        *_of_events(render),
        *_of_retries(render),
        *_of_deliveries(render),
        *_of_messages(render),
    ]
    return sorted(moments, key=lambda moment: moment.at)


def messages_of(render: Render) -> list[WebhookMessage]:
    """Return the newest messages about a render, with their attempts; those of its progress are left out."""
    attempts = WebhookAttempt.objects.order_by("id")
    messages = WebhookMessage.objects.filter(render=render).exclude(type=Type.PROGRESSED).order_by("-id")
    return list(messages.prefetch_related(Prefetch("attempts", attempts))[:MOST])


def _of_row(render: Render) -> Iterator[Moment]:
    asked = f"{ASKED}, for {render.owner.get_username()}" if render.owner else ASKED
    yield Moment(render.created_at, Kind.REQUEST, asked, _origin(render))
    if render.submitted_at:
        yield Moment(render.submitted_at, Kind.START, "Sent to AWS", f"To the function {render.function_name}.")
    if render.first_frame_at:
        yield Moment(render.first_frame_at, Kind.FRAME, "First frames rendered")
    if render.cancel_requested_at:
        yield Moment(render.cancel_requested_at, Kind.CANCEL, CANCEL_ASKED)
    if render.cancel_sent_at:
        yield Moment(render.cancel_sent_at, Kind.CANCEL, "Remotion was asked to cancel it")
    if render.is_expired and render.expires_at:
        yield Moment(render.expires_at, Kind.CANCEL, "Its files could be deleted from now on")


def _origin(render: Render) -> str:
    if render.retry_of_id:
        return "As a repetition of an earlier render."
    if render.poster_of_id:
        return "As the poster of a video."
    return "With others, in a batch." if render.batch_id else ""


def _of_events(render: Render) -> Iterator[Moment]:
    """Tell the events; the end is told by the row where its event has been deleted meanwhile."""
    events = list(render.events.exclude(type=Type.PROGRESSED).order_by("-id")[:MOST])
    end = ENDS.get(Render.Status(render.status))
    for event in events:
        kind, what = TOLD[Type(event.type)]
        yield Moment(event.created_at, kind, what, _detail(event), is_bad=event.type == Type.FAILED)
    if end and render.finished_at and not any(event.type == end for event in events):
        kind, what = TOLD[end]
        yield Moment(render.finished_at, kind, what, render.error, is_bad=end == Type.FAILED)


def _detail(event: Event) -> str:
    if event.type == Type.STARTED:
        return f"Remotion renders it as {event.data.get('renderId', '')}."
    return str(event.data.get("error", ""))


def _of_retries(render: Render) -> Iterator[Moment]:
    for error in render.errors:
        if isinstance(at := error.get("retriedAt"), int | float):
            seconds = min(max(at / 1000, 0), FAR_FUTURE)
            what = f"Remotion renders chunk {error.get('chunk')} again"
            detail = str(error.get("message", "")).partition("\n    at ")[0]
            yield Moment(datetime.fromtimestamp(seconds, tz=UTC), Kind.RETRY, what, detail, is_bad=True)


def _of_deliveries(render: Render) -> Iterator[Moment]:
    deliveries = WebhookDelivery.objects.matching_id(str(render.pk), render.render_id).defer("body")
    for delivery in deliveries.order_by("-received_at", "-id")[:MOST]:
        said = delivery.headers.get("X-Remotion-Status", "")
        what = f"Webhook from Remotion: {said}" if said else "Webhook from Remotion"
        is_bad = not delivery.is_processed
        yield Moment(delivery.received_at, Kind.WEBHOOK_IN, what, delivery.error, is_bad=is_bad, about=delivery)


def _of_messages(render: Render) -> Iterator[Moment]:
    for message in messages_of(render):
        attempts = list(message.attempts.all())
        for attempt in attempts:
            yield _of_attempt(message, attempt)
        if not attempts:
            what = f"Webhook {message.type} is to be sent"
            yield Moment(message.created_at, Kind.WEBHOOK_OUT, what, f"To {message.url}", about=message)


def _of_attempt(message: WebhookMessage, attempt: WebhookAttempt) -> Moment:
    is_bad = bool(attempt.error)
    what = f"Webhook {message.type} {'was not delivered' if is_bad else 'was delivered'}"
    answer = attempt.error or f"It answered {attempt.status_code}."
    detail = f"To {message.url}, {attempt.duration_ms:,}\N{NO-BREAK SPACE}ms. {answer}"
    return Moment(attempt.at, Kind.WEBHOOK_OUT, what, detail, is_bad=is_bad, about=message)
