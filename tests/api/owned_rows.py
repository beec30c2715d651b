"""Rows of one owner, which nobody else may be told of."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone

from renders.models import (
    ApiKey,
    Batch,
    Event,
    Quota,
    RefreshState,
    Render,
    RenderMetadata,
    UsageDay,
    WebhookAttempt,
    WebhookEndpoint,
    WebhookMessage,
)
from renders.services.api_keys import create_api_key
from renders.services.webhooks.secrets import secret_of
from tests.factories import make_endpoint, make_message, make_render, make_template

Status = Render.Status
NAME = "adas"
"""In every text of the owner's."""


@dataclass
class Things:
    """Rows of one owner."""

    owner: User
    names: dict[str, str]
    """What fills addresses, queries and bodies."""
    secrets: set[str]
    """What only the owner may be told."""

    def rows(self) -> list[list[dict[str, Any]]]:
        """Return all that the owner has."""
        own = Q(owner=self.owner)
        found: list[Any] = [
            *(model.objects.filter(own) for model in (Render, Batch, Event, RenderMetadata, UsageDay, Quota)),
            ApiKey.objects.filter(user=self.owner),
            RefreshState.objects.filter(render__owner=self.owner),
            WebhookEndpoint.objects.filter(own),
            WebhookMessage.objects.filter(endpoint__owner=self.owner),
            WebhookAttempt.objects.filter(message__endpoint__owner=self.owner),
        ]
        return [list(rows.order_by("pk").values()) for rows in found]


def make_one_of_everything() -> Things:
    """Make a row of each kind, all of one new owner."""
    ada = User.objects.create_user(NAME)
    template = make_template("promo")
    batch = Batch.objects.create(owner=ada, idempotency_key="order-1", results=[{"id": NAME}])
    marked: dict[str, Any] = {
        "owner": ada, "external_id": "order-1", "metadata": {"shop": f"{NAME}-shop"}, "template": template,
        "batch": batch,
    }  # fmt: skip
    renders = {
        "rendering": make_render(
            Status.RENDERING, render_id=f"{NAME}-remote", progress=0.5, answered_at=timezone.now(), **marked
        ),
        "queued": make_render(Status.QUEUED, **marked),
        "failed": make_render(Status.FAILED, **marked),
        "succeeded": make_render(
            Status.SUCCEEDED, **{**marked, "output_key": f"{NAME}/out.mp4", "idempotency_key": "order-1"}
        ),
    }
    stalled_since = timezone.now() - timedelta(days=1)
    Render.objects.filter(pk=renders["rendering"].pk).update(progressed_at=stalled_since)
    RenderMetadata.objects.store(renders.values())
    endpoint = make_endpoint(ada, f"https://{NAME}.example/")
    message = make_message(endpoint, renders["failed"], status=WebhookMessage.Status.FAILED)
    for render in renders.values():
        Event.objects.create(type="render.failed", owner=ada, render=render, data={"id": NAME, "progress": 1})
    WebhookAttempt.objects.create(message=message, duration_ms=1, answer=NAME)
    UsageDay.objects.create(owner=ada, day=timezone.now().date(), template=NAME, region="us-east-1", currency="USD")
    key, _ = create_api_key(user=ada, name=f"{NAME}-key")
    names = {name: str(render.pk) for name, render in renders.items()}
    names |= {"batch": str(batch.pk), "endpoint": str(endpoint.pk), "message": str(message), "key": key.token_key}
    return Things(
        ada, names | {"template": template.name}, {NAME, secret_of(endpoint), *names.values()} - {str(message)}
    )
