"""Where an owner wants to be told of events."""

import uuid
from collections.abc import Iterable

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from renders.models.event import Event

ON_REQUEST = (Event.Type.PROGRESSED,)
"""Types of events that an endpoint gets only if it names them."""


class WebhookEndpointQuerySet(models.QuerySet["WebhookEndpoint"]):
    def wanting(self, event_type: str) -> "list[WebhookEndpoint]":
        """Return the enabled endpoints that want the events of this type."""
        return [endpoint for endpoint in self.filter(enabled=True) if endpoint.wants(event_type)]

    def lock(self, ids: Iterable[uuid.UUID]) -> "dict[uuid.UUID, WebhookEndpoint]":
        """Lock these endpoints until the transaction ends, and return them; always before their messages."""
        return {row.pk: row for row in self.filter(pk__in=ids).select_for_update(no_key=True).order_by("pk")}


class WebhookEndpoint(models.Model):
    """An address of an owner's that gets the events of their renders, signed by Standard Webhooks.

    Its secret is derived from its id and version by ``services.webhooks.secrets``, and is not stored.
    https://www.standardwebhooks.com/
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="webhook_endpoints",
    )
    url = models.TextField(
        "URL", blank=True, help_text="Empty: the endpoint of the owner's renders that name a webhookUrl."
    )
    description = models.CharField(max_length=255, blank=True, default="")
    events = models.JSONField(
        default=list, blank=True, help_text="Types of the events it gets; empty: all but render.progressed."
    )
    enabled = models.BooleanField(default=True)
    disabled_reason = models.TextField(blank=True, default="", help_text="Why the service disabled it.")
    failing_since = models.DateTimeField(
        null=True, blank=True, help_text="First failure since the last delivery that was accepted."
    )
    secret_version = models.PositiveIntegerField(default=1)
    previous_secret_until = models.DateTimeField(
        null=True, blank=True, help_text="Until then messages carry a signature by the previous secret too."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = WebhookEndpointQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["owner"], name="webhook_endpoint_one_for_render_urls", condition=Q(url="")),
            models.UniqueConstraint(
                fields=["url"],
                name="webhook_endpoint_one_for_urls_unowned",
                condition=Q(url="") & Q(owner__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.url or "webhookUrl of renders"

    @property
    def is_for_render_urls(self) -> bool:
        """Whether it has no URL of its own: it signs what renders send to their ``webhookUrl``."""
        return not self.url

    def wants(self, event_type: str) -> bool:
        """Return whether it gets the events of this type."""
        return event_type in self.events if self.events else event_type not in ON_REQUEST
