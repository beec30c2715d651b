"""Webhook deliveries from Remotion that carried our signature."""

import contextlib
import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def failed(self) -> "WebhookDeliveryQuerySet":
        """Deliveries that were not processed to the end."""
        return self.filter(is_processed=False)

    def matching_id(self, *texts: str) -> "WebhookDeliveryQuerySet":
        """Deliveries that name a render whose id, ours or Remotion's, is among ``texts``."""
        ours = []
        for text in texts:
            with contextlib.suppress(ValueError):
                ours.append(uuid.UUID(text))
        return self.filter(Q(our_id__in=ours) | Q(render_id__in=[text for text in texts if text]))


class WebhookDelivery(models.Model):
    """One signed delivery, and the result of processing it."""

    received_at = models.DateTimeField(default=timezone.now, editable=False)
    headers = models.JSONField(help_text="The headers that explain a delivery; none holds a secret.")
    body = models.TextField(blank=True)
    render_id = models.CharField(
        "renderId",
        max_length=255,
        blank=True,
        default="",
        help_text="As the body names it; empty if the body cannot be read.",
    )
    our_id = models.UUIDField(null=True, blank=True, help_text="Our id of the render, as the customData names it.")
    is_processed = models.BooleanField("processed", default=False)
    processed_at = models.DateTimeField(null=True, blank=True, help_text="When it was last processed.")
    error = models.TextField(blank=True, default="", help_text="What went wrong, or why there was nothing to do.")

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "webhook deliveries"
        ordering = ["-received_at", "-id"]
        indexes = [
            models.Index(fields=["-received_at", "-id"], name="delivery_newest"),
            models.Index(
                fields=["-received_at", "-id"], name="delivery_failed_newest", condition=Q(is_processed=False)
            ),
            models.Index(fields=["render_id"], name="delivery_render_id"),
            models.Index(fields=["our_id"], name="delivery_our_id"),
        ]

    def __str__(self) -> str:
        return f"Delivery {self.pk}"
