"""What was posted to our webhook."""

from django.db import models
from django.db.models import Q
from django.utils import timezone


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def rejected(self) -> "WebhookDeliveryQuerySet":
        """Deliveries that were not signed with one of our secrets."""
        return self.filter(valid=False)

    def failed(self) -> "WebhookDeliveryQuerySet":
        """Verified deliveries that were not processed to the end."""
        return self.filter(valid=True, processed=False)


class WebhookDelivery(models.Model):
    """A delivery from Remotion, and what came of it. One without our signature has no body."""

    received_at = models.DateTimeField(default=timezone.now, editable=False)
    headers = models.JSONField(help_text="The headers that explain a delivery; none holds a secret.")
    body = models.TextField(blank=True)
    valid = models.BooleanField(help_text="It carries our signature.")
    processed = models.BooleanField(default=False)
    processed_at = models.DateTimeField(null=True, blank=True, help_text="When it was last processed.")
    error = models.TextField(blank=True, default="", help_text="What went wrong, or why there was nothing to do.")

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "webhook deliveries"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["id"], name="delivery_rejected", condition=Q(valid=False)),
            models.Index(fields=["id"], name="delivery_failed", condition=Q(valid=True, processed=False)),
            models.Index(fields=["received_at"], name="delivery_received"),
        ]
        constraints = [
            models.CheckConstraint(
                name="delivery_rejected_is_not_used", condition=Q(valid=True) | Q(body="", processed=False)
            ),
        ]

    def __str__(self) -> str:
        return f"Delivery {self.pk}"
