"""Renders that were asked for in one request."""

import uuid
from collections.abc import Iterable
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class BatchQuerySet(models.QuerySet["Batch"]):
    def with_key(self, idempotency_key: str, *, owner: Any) -> Self:
        """The batch that ``owner`` (a user or None) created with this key, if there is one."""
        return self.filter(idempotency_key__gt="", idempotency_key=idempotency_key, owner=owner)

    def lock_incomplete(self, ids: Iterable[uuid.UUID]) -> list["Batch"]:
        """Lock those of these batches that are not complete, in the order of their ids, and return them."""
        batches = self.filter(pk__in=ids, completed_at=None).order_by("pk")
        # The weaker lock: rows that refer to a batch may be inserted meanwhile.
        return list(batches.select_for_update(no_key=True).only("pk", "owner_id", "created_at", "cancel_requested_at"))


class Batch(models.Model):
    """One request for up to 500 renders. Its renders refer to it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="batches",
        db_index=False,  # batch_owner_newest begins with it
    )
    results = models.JSONField(
        default=list, blank=True, help_text='What each item was answered, in order: {"id": …} or {"error": …}.'
    )
    idempotency_key = models.CharField(max_length=255, blank=True, default="")
    idempotency_fingerprint = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True, help_text="When the last of its renders ended first.")

    objects = BatchQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name_plural = "batches"
        indexes = [
            models.Index(fields=["owner", "-created_at", "-id"], name="batch_owner_newest"),
            models.Index(fields=["-created_at", "-id"], name="batch_newest"),
            models.Index(
                fields=["-created_at", "-id"], name="batch_incomplete_newest", condition=Q(completed_at__isnull=True)
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["idempotency_key", "owner"],
                name="batch_idempotent_per_owner",
                condition=Q(idempotency_key__gt=""),
            ),
            models.UniqueConstraint(
                fields=["idempotency_key"],
                name="batch_idempotent_without_owner",
                condition=Q(idempotency_key__gt="") & Q(owner__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)
