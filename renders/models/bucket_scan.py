"""How far the scan of a bucket for unconfirmed renders has come."""

from datetime import datetime

from django.db import models
from django.db.models import Q


class BucketScanQuerySet(models.QuerySet["BucketScan"]):
    def claim(self, bucket_name: str, *, at: datetime, until: datetime) -> "BucketScan | None":
        """Lease the scan of this bucket until ``until``; None if another process has it."""
        self.get_or_create(bucket_name=bucket_name)
        free = self.filter(Q(leased_until__isnull=True) | Q(leased_until__lte=at), bucket_name=bucket_name)
        return self.get(bucket_name=bucket_name) if free.update(leased_until=until) else None


class BucketScan(models.Model):
    """A resumable scan of one bucket. Each call goes on at ``position``; at the end it starts anew."""

    bucket_name = models.CharField(max_length=255, unique=True)
    position = models.TextField(blank=True, default="", help_text="The last key seen; empty: start at the first.")
    started_at = models.DateTimeField(null=True, blank=True, help_text="When the present scan started.")
    has_unread_files = models.BooleanField(default=False, help_text="The present scan met files it could not read.")
    complete_at = models.DateTimeField(
        null=True, blank=True, help_text="Everything that was in the bucket at this time has been seen."
    )
    leased_until = models.DateTimeField(null=True, blank=True, help_text="One process scans until then.")

    objects = BucketScanQuerySet.as_manager()

    def __str__(self) -> str:
        return self.bucket_name
