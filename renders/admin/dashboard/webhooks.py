"""What the dashboard says about webhooks, and about what somebody should look at."""

from collections.abc import Iterable

from django.http import HttpRequest
from django.utils.html import format_html

from renders.admin.dashboard.cards import Card
from renders.admin.dashboard.links import renders_address
from renders.admin.display import NOTHING, elapsed, share
from renders.admin.links import list_of
from renders.models import WebhookDelivery, WebhookEndpoint, WebhookMessage
from renders.services.statistics.attention import Concern, Subject
from renders.services.statistics.webhooks import MOST, Incoming, Outgoing


def cards_of_outgoing(request: HttpRequest, health: Outgoing) -> list[Card]:
    pending = list_of(request, WebhookMessage, status__exact=WebhookMessage.Status.PENDING.value)
    failed = list_of(request, WebhookMessage, status__exact=WebhookMessage.Status.FAILED.value)
    median = f"Median answer {health.median_ms:,.0f}\N{NO-BREAK SPACE}ms" if health.median_ms is not None else ""
    overdue = format_html("The first was due {} ago", elapsed(health.overdue_since)) if health.overdue_since else ""
    newest = f"Of the newest {health.attempts:,} attempts" if health.attempts else "No attempts yet"
    return [
        Card("Accepted", share(health.success_rate), notes=[newest, median]),
        Card("To be sent", counted(health.pending), pending, [overdue or "Now or later"]),
        Card("Given up", counted(health.failed), failed, ["Within seven days"]),
        Card(
            "Endpoints",
            f"{health.endpoints:,}",
            list_of(request, WebhookEndpoint),
            [f"{health.failing_endpoints:,} failing, {health.disabled_endpoints:,} disabled for it"],
        ),
    ]


def cards_of_incoming(request: HttpRequest, health: Incoming) -> list[Card]:
    unprocessed = list_of(request, WebhookDelivery, is_processed__exact=0)
    newest = elapsed(health.newest_at)
    off = [] if health.is_set_up else ["REMOTION_WEBHOOK_URL is not set: renders are polled"]
    return [
        Card("Newest delivery", NOTHING if health.newest_at is None else format_html("{} ago", newest), notes=off),
        Card("Received", counted(health.received), list_of(request, WebhookDelivery), ["Within 24 hours"]),
        Card("Not processed", counted(health.unprocessed), unprocessed, ["Kept to be processed again"]),
    ]


def addressed(request: HttpRequest, concerns: Iterable[Concern]) -> list[tuple[str, str]]:
    """Return each concern's sentence with the address where to look."""
    addresses = {
        Subject.RENDERS: renders_address(request, tab="attention"),
        Subject.WORKERS: "#workers",
        Subject.MESSAGES: list_of(request, WebhookMessage, status__exact=WebhookMessage.Status.PENDING.value),
        Subject.FAILED_MESSAGES: list_of(request, WebhookMessage, status__exact=WebhookMessage.Status.FAILED.value),
        Subject.FAILING_ENDPOINTS: list_of(request, WebhookEndpoint, enabled__exact=1),
        Subject.DISABLED_ENDPOINTS: list_of(request, WebhookEndpoint, enabled__exact=0),
        Subject.DELIVERIES: list_of(request, WebhookDelivery, is_processed__exact=0),
    }
    return [(concern.sentence, addresses[concern.subject]) for concern in concerns]


def counted(count: int) -> str:
    return f"{count:,}" if count < MOST else f"{MOST:,} or more"
