"""The buttons of a render's page: which there are, for this render and this person."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from renders.admin.display import money
from renders.models import Event, Render, WebhookMessage
from renders.services.explain import lacked_functions
from renders.services.usage.estimate import Rates

Status = Render.Status
REPEATABLE = (Status.FAILED, Status.CANCELLED)


@dataclass(frozen=True)
class Button:
    """One button, and what is asked before it does anything that cannot be undone."""

    name: str
    label: str
    icon: str
    address: str
    way: str = "post"
    """``post``: a form; ``get``: a link; ``copy``: a script asks the address for a link and copies it."""
    question: str = ""
    """Asked first; empty: it acts at once."""
    consequence: str = ""
    variant: str = "default"


def buttons_of(request: HttpRequest, render: Render) -> list[Button]:
    """Return the buttons that can do something now, and that the person signed in may press."""
    return list(_buttons(request, render))


def _buttons(request: HttpRequest, render: Render) -> Iterator[Button]:
    may = request.user.has_perm
    if render.status == Status.SUCCEEDED and not render.is_expired:
        yield Button("download", "Download", "download", _address(render, "download"), way="get", variant="primary")
        yield Button("link", "Copy link", "link", _address(render, "link"), way="copy")
    if may("renders.change_render") and render.status in REPEATABLE and not render.retries.active().exists():
        yield _repeat(render)
    if may("renders.add_render"):
        yield _repeat_with_changes(render)
    if render.render_id and render.is_refreshable:
        yield Button("refresh", "Refresh", "refresh", _address(render, "refresh"))
    if may("renders.change_render") and _has_sent_webhooks(render):
        yield _send_webhook(render)
    if may("renders.change_render") and not render.is_terminal and not render.cancel_requested_at:
        yield _cancel(render)


def _cancel(render: Render) -> Button:
    if render.status == Status.QUEUED:
        consequence = "It has not been started, so that nothing has to be paid. To have it after all, repeat it."
    else:
        so_far = f" ({money(render.cost, render.currency)} by now)" if render.cost else ""
        consequence = (
            f"Remotion stops within seconds, and keeps nothing of it. What its functions did is paid{so_far}. To have"
            " it after all, it must be rendered from the beginning."
        )
    question = "Cancel this render?"
    address = _address(render, "cancel")
    return Button("cancel", "Cancel render", "cancel", address, "post", question, consequence, variant="danger")


def _repeat(render: Render) -> Button:
    rates = Rates()
    cost = rates.estimate(render)
    expected = (
        "What it will cost cannot be estimated: no render of its kind has succeeded lately."
        if cost is None
        else f"Its estimated cost: {money(cost, rates.currency)}, by the renders of its kind that succeeded last."
    )
    consequence = f"The same is rendered anew, with the settings of today, and paid anew. {expected}"
    address = _address(render, "repeat")
    variant = "primary" if lacked_functions(render) else "default"
    return Button("repeat", "Repeat", "replay", address, "post", "Repeat this render?", consequence, variant)


def _repeat_with_changes(render: Render) -> Button:
    address = f"{reverse('admin:renders_render_add')}?{urlencode({'repeat': str(render.pk)})}"
    is_at_fault = render.failure_reason == Render.FailureReason.RENDER_ERROR and not lacked_functions(render)
    variant = "primary" if is_at_fault else "default"
    return Button("change", "Repeat with changes", "edit", address, way="get", variant=variant)


def _send_webhook(render: Render) -> Button:
    consequence = (
        "Each endpoint that was told of its last event is told of it once more, under the same id, by which receivers"
        " can see that they know it already."
    )
    question = "Send the webhook again?"
    return Button("webhook", "Send webhook again", "send", _address(render, "webhook"), "post", question, consequence)


def _has_sent_webhooks(render: Render) -> bool:
    ended = (WebhookMessage.Status.DELIVERED, WebhookMessage.Status.FAILED)
    sent = WebhookMessage.objects.filter(render=render, status__in=ended)
    return sent.exclude(type=Event.Type.PROGRESSED).exists()


def _address(render: Render, name: str) -> str:
    return reverse(f"admin:renders_render_{name}", args=[render.pk])
