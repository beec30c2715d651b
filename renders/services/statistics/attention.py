"""What somebody should look at now."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from renders.models import Render
from renders.models.render_query_set import LONG_WAIT
from renders.services.json_schema.values import counted
from renders.services.statistics.current import Current
from renders.services.statistics.webhooks import Incoming, Outgoing
from renders.services.statistics.workers import Workers


class Subject(StrEnum):
    """What a concern is about."""

    RENDERS = "renders"
    WORKERS = "workers"
    MESSAGES = "messages"
    FAILED_MESSAGES = "failed messages"
    FAILING_ENDPOINTS = "failing endpoints"
    DISABLED_ENDPOINTS = "disabled endpoints"
    DELIVERIES = "deliveries"


@dataclass(frozen=True)
class Concern:
    """One thing to look at, in a sentence."""

    subject: Subject
    sentence: str


def concerns_of_renders(current: Current, workers: Workers) -> list[Concern]:
    """Return what is wrong with renders and workers."""
    concerns = []
    active = current.rendering + current.submitting + current.queued
    if not workers.alive and not workers.are_rounds:
        waits = f": {counted(active, 'render')} will not go on" if active else ""
        concerns.append(Concern(Subject.WORKERS, f"No worker runs{waits}. Start manage.py render_worker."))
    elif workers.lost:
        lost = counted(len(workers.lost), "worker")
        concerns.append(
            Concern(Subject.WORKERS, f"{lost} of the last hour ended without a word: killed, or without database.")
        )
    if not active:
        return concerns
    for count, what in _stuck(current):
        if count:
            has = "has" if count == 1 else "have"
            concerns.append(Concern(Subject.RENDERS, f"{counted(count, 'render')} {has} {what}"))
    return concerns


def _stuck(current: Current) -> list[tuple[int, str]]:
    now, renders = timezone.now(), Render.objects
    last_answer = now - timedelta(seconds=settings.REMOTION_START_TIMEOUT)
    unanswered = Q(submitted_at__lt=last_answer) | ~Q(error="")
    long = renders.with_status(Render.Status.QUEUED).filter(created_at__lt=now - LONG_WAIT)
    minutes = LONG_WAIT // timedelta(minutes=1)
    return [
        (
            renders.stalled().order_by().count() if current.rendering else 0,
            f"made no progress for over {settings.REMOTION_STALL_SECONDS} s.",
        ),
        (
            renders.unconfirmed().filter(unanswered).order_by().count() if current.submitting else 0,
            "not been confirmed by AWS: whether it runs is looked for on S3.",
        ),
        (long.order_by().count() if current.queued else 0, f"been waiting for over {minutes} minutes."),
    ]


def concerns_of_outgoing(health: Outgoing) -> list[Concern]:
    """Return what is wrong with the service's own webhooks."""
    found = [
        (Subject.FAILING_ENDPOINTS, health.failing_endpoints, "webhook endpoint", "accepting no messages."),
        (Subject.DISABLED_ENDPOINTS, health.disabled_endpoints, "webhook endpoint", "disabled because of failures."),
        (Subject.FAILED_MESSAGES, health.failed, "webhook message", "given up in the last seven days."),
    ]
    concerns = [
        Concern(subject, f"{counted(count, noun)} {_verb(subject, count)} {what}")
        for subject, count, noun, what in found
        if count
    ]
    if health.overdue_since:
        concerns.append(Concern(Subject.MESSAGES, "Webhook messages are due and not sent."))
    return concerns


def concerns_of_incoming(health: Incoming) -> list[Concern]:
    """Return what is wrong with the webhooks that Remotion sends."""
    if not health.unprocessed:
        return []
    deliveries = "delivery from Remotion was" if health.unprocessed == 1 else "deliveries from Remotion were"
    return [Concern(Subject.DELIVERIES, f"{health.unprocessed:,} {deliveries} not processed.")]


def _verb(subject: Subject, count: int) -> str:
    if subject == Subject.FAILED_MESSAGES:
        return "was" if count == 1 else "were"
    return "is" if count == 1 else "are"
