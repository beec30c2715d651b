"""What is noted beside the renders: when to ask AWS next, searches through buckets, webhook deliveries."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone

from renders.models.render import Render


class RefreshQuerySet(models.QuerySet["Refresh"]):
    def due(self, at: datetime) -> "RefreshQuerySet":
        """Those whose ``progress.json`` is to be read now."""
        return self.filter(next_refresh_at__lte=at).exclude(bucket_name="")


class Refresh(models.Model):
    """When AWS is asked about a render next; only one of which more may come has it.

    Small and apart, because it changes at each reading; a row of Render, with all its indexes,
    changes only when there is news.
    """

    render = models.OneToOneField(Render, on_delete=models.CASCADE, primary_key=True, related_name="refresh")
    region = models.CharField(max_length=32)
    bucket_name = models.CharField(
        max_length=255, help_text="Empty for a render that was lost before anybody knew where it was."
    )
    next_refresh_at = models.DateTimeField(
        db_index=True, help_text="When a worker asks again; while one does, when another may."
    )
    asked_at = models.DateTimeField(null=True, blank=True, help_text="When AWS was last asked.")
    answered_at = models.DateTimeField(null=True, blank=True, help_text="When AWS last answered.")
    watched_at = models.DateTimeField(null=True, blank=True, help_text="When somebody last asked for its progress.")
    etag = models.CharField(max_length=255, blank=True, default="", help_text="Of the progress.json last read.")

    objects = RefreshQuerySet.as_manager()

    def __str__(self) -> str:
        return str(self.render_id)


class BucketScan(models.Model):
    """How far the search through a bucket for renders in doubt has come; it goes on from there."""

    bucket_name = models.CharField(max_length=255, unique=True)
    position = models.TextField(blank=True, default="", help_text="The last key that was looked at.")
    began_at = models.DateTimeField(null=True, blank=True, help_text="When this walk began at the first key.")
    has_gaps = models.BooleanField(default=False, help_text="This walk met files that could not be read.")
    walked_at = models.DateTimeField(
        null=True, blank=True, help_text="When the last walk began that saw every file: what was there then is found."
    )
    claimed_until = models.DateTimeField(null=True, blank=True, help_text="Somebody walks until then.")

    def __str__(self) -> str:
        return self.bucket_name


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def rejected(self) -> "WebhookDeliveryQuerySet":
        return self.filter(valid=False)

    def failed(self) -> "WebhookDeliveryQuerySet":
        """Verified, and not handled to the end: worth another try."""
        return self.filter(valid=True, processed=False)


class WebhookDelivery(models.Model):
    """What was posted to our webhook, and what came of it. One without our signature has no body."""

    received_at = models.DateTimeField(default=timezone.now, editable=False)
    headers = models.JSONField(help_text="Those that tell something, and none that could be a secret.")
    body = models.TextField(blank=True)
    valid = models.BooleanField(help_text="It carries our signature.")
    processed = models.BooleanField(default=False)
    processed_at = models.DateTimeField(null=True, blank=True, help_text="When that was last tried.")
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
