"""Which workers run: each writes every few seconds that it does."""

import uuid
from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone

LOST_AFTER = timedelta(seconds=30)
"""A worker that has not been heard of for so long was killed, or cannot reach the database."""


class WorkerHeartbeatQuerySet(models.QuerySet["WorkerHeartbeat"]):
    def alive(self, at: datetime) -> "WorkerHeartbeatQuerySet":
        """Workers that run at ``at``."""
        return self.filter(stopped_at=None, seen_at__gte=at - LOST_AFTER)


class WorkerHeartbeat(models.Model):
    """One worker, from its start; the row is kept for a day after its end."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    is_continuous = models.BooleanField(default=True, help_text="False for one round, as from cron.")
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now, help_text="When it last wrote that it runs.")
    stopped_at = models.DateTimeField(null=True, blank=True, help_text="When it ended by itself or by a signal.")
    failures = models.PositiveIntegerField(default=0, help_text="How often a part of its work failed.")
    last_failure = models.TextField(blank=True, default="", help_text="What went wrong last.")
    last_failure_at = models.DateTimeField(null=True, blank=True)

    objects = WorkerHeartbeatQuerySet.as_manager()

    class Meta:
        ordering = ["-seen_at"]

    def __str__(self) -> str:
        return f"{self.host} ({self.pid})"

    def is_lost(self, at: datetime) -> bool:
        """Return whether it has not been heard of for too long, and did not say that it ends."""
        return self.stopped_at is None and at - self.seen_at > LOST_AFTER
