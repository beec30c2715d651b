"""A render: its fields, and what the database holds true about it."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from renders.models.batch import Batch
from renders.models.plain_loading import PlainLoading
from renders.models.render_query_set import (
    HAS_EXTERNAL_ID,
    HAS_FAILURE_REASON,
    HAS_IDEMPOTENCY_KEY,
    HAS_NOT_SUCCEEDED,
    HAS_RENDER_ID,
    HAS_REUSE_KEY,
    HAS_SOME_RENDER_ID,
    NOT_ENDED,
    RenderQuerySet,
)
from renders.models.template import Template

DELETE_AFTER_DAYS = {"1-day": 1, "3-days": 3, "7-days": 7, "30-days": 30}
"""Values of Remotion's option ``deleteAfter``."""


class Render(PlainLoading):
    """One render, from the request for it to its end. ``transitions`` says how it changes."""

    class Kind(models.TextChoices):
        VIDEO = "video", "Video, audio or GIF"
        STILL = "still", "Still: one frame as a picture"

    class Status(models.TextChoices):
        QUEUED = "queued"
        SUBMITTING = "submitting"
        RENDERING = "rendering"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"

    class FailureReason(models.TextChoices):
        REJECTED = "rejected", "Rejected: it was never started"
        RENDER_ERROR = "render_error", "Render error"
        TIMED_OUT = "timed_out", "Timed out"
        LOST = "lost", "Lost: nothing of it was found"

    ACTIVE = (Status.QUEUED, Status.SUBMITTING, Status.RENDERING)
    TERMINAL = (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED)

    PRESUMED_FAILED = (FailureReason.TIMED_OUT, FailureReason.LOST)
    """Failures that Remotion has not reported: the output may still appear, so it is rechecked."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="renders",
        db_index=False,  # render_owner_newest begins with it
    )
    status = models.CharField(max_length=16, choices=Status, default=Status.SUBMITTING)
    failure_reason = models.CharField(max_length=16, choices=FailureReason, blank=True, default="")
    error = models.TextField(blank=True, default="", help_text="What went wrong, in one sentence.")
    errors = models.JSONField(default=list, blank=True, help_text="Remotion's errors and warnings.")

    kind = models.CharField(max_length=8, choices=Kind, default=Kind.VIDEO)
    template = models.ForeignKey(
        Template,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="renders",
        db_index=False,  # render_template_newest begins with it
        help_text="None: the default template, which the settings describe.",
    )
    template_version = models.PositiveIntegerField(null=True, blank=True)
    input_props = models.JSONField()
    options = models.JSONField(default=dict, blank=True, help_text="Remotion's options that differ from its defaults.")
    frame = models.IntegerField(null=True, blank=True, help_text="Of a still: its frame; -1 is the last one.")
    composition = models.CharField(max_length=255)
    serve_url = models.TextField(help_text="URL or site name.")
    function_name = models.CharField(max_length=255)
    function_timeout = models.PositiveIntegerField(help_text="The function's time limit in seconds.")
    region = models.CharField(max_length=32)
    configured_bucket = models.CharField(
        max_length=255,
        blank=True,
        default="",
        help_text="The bucket that the start named; empty: the function chose Remotion's own in the region.",
    )
    frames_per_lambda = models.PositiveIntegerField(
        null=True, blank=True, help_text="Frames that each renderer function renders; empty where their number is set."
    )
    concurrency = models.PositiveIntegerField(
        null=True, blank=True, help_text="Number of renderer functions; empty where frames_per_lambda is set."
    )
    codec = models.CharField(max_length=16, blank=True, help_text="Empty for a still.")
    extension = models.CharField(max_length=8, default="mp4", help_text="Of the output's file name.")
    remotion_version = models.CharField(max_length=32)

    render_id = models.CharField(max_length=255, blank=True, default="")
    bucket_name = models.CharField(max_length=255, blank=True, default="")
    cloudwatch_logs = models.TextField(blank=True, default="")
    folder_in_s3_console = models.TextField(blank=True, default="")

    duration_in_frames = models.PositiveIntegerField(
        null=True, blank=True, help_text="Length of the output; empty until it is known."
    )
    fps = models.FloatField(null=True, blank=True)
    width = models.PositiveIntegerField(null=True, blank=True, help_text="Pixels.")
    height = models.PositiveIntegerField(null=True, blank=True, help_text="Pixels.")

    progress = models.FloatField(default=0, help_text="0 to 1; it never falls.")
    frames_rendered = models.PositiveIntegerField(default=0)
    output_bucket = models.CharField(max_length=255, blank=True, default="")
    output_key = models.TextField(blank=True, default="")
    output_size = models.PositiveBigIntegerField(null=True, blank=True, help_text="Bytes.")
    artifacts = models.JSONField(default=list, blank=True, help_text="Further files that the composition emitted.")
    cost = models.FloatField(null=True, blank=True, help_text="Remotion's estimate, for Lambda only.")
    currency = models.CharField(max_length=3, blank=True, default="")
    function_seconds = models.FloatField(
        null=True, blank=True, help_text="How long its functions ran, together, by Remotion's estimate."
    )

    slots_needed = models.PositiveIntegerField(default=1, help_text="Functions that run at once at most.")
    slots_until = models.DateTimeField(
        null=True, blank=True, help_text="No function of it can be running any more after this time."
    )
    priority = models.SmallIntegerField(default=0, help_text="-50 to 50; a higher one starts sooner.")
    queue_rank = models.DateTimeField(
        default=timezone.now, help_text="created_at, a minute earlier for each point of priority."
    )
    dispatch_after = models.DateTimeField(null=True, blank=True, help_text="Not started before this time.")
    throttled_count = models.PositiveIntegerField(default=0, help_text="How often a start was put off.")
    upload_attempts = models.PositiveIntegerField(
        default=0, help_text="How often its input props could not be uploaded."
    )
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    cancel_sent_at = models.DateTimeField(null=True, blank=True, help_text="When Remotion was asked to cancel it.")
    retry_of = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="retries",
        db_index=False,  # render_retries leaves out the many that are no retry
    )
    poster_request = models.JSONField(
        null=True, blank=True, help_text='Which frame becomes the poster: {"frame": 30} or {"seconds": 1}.'
    )
    poster_of = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="posters",
        db_index=False,  # render_one_poster leaves out the many that are no poster
    )
    batch = models.ForeignKey(
        Batch,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="renders",
        db_index=False,  # render_batch leaves out the many that are in none
    )
    metadata = models.JSONField(
        default=dict, blank=True, help_text="Pairs of strings that mean something to its owner."
    )
    external_id = models.CharField(max_length=255, blank=True, default="", help_text="Its name in its owner's system.")
    webhook_url = models.TextField(blank=True, default="", help_text="Where its events are posted, besides endpoints.")
    reuse_key = models.CharField(
        max_length=64, blank=True, default="", help_text="Equal for renders whose output is the same."
    )
    idempotency_key = models.CharField(max_length=255, blank=True, default="")
    idempotency_fingerprint = models.CharField(max_length=64, blank=True, default="")

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    submitted_at = models.DateTimeField(null=True, blank=True)
    refreshed_at = models.DateTimeField(null=True, blank=True, help_text="When a refresh last changed the row.")
    first_frame_at = models.DateTimeField(
        null=True, blank=True, help_text="The earliest time at which frames of it are known to have been there."
    )
    progressed_at = models.DateTimeField(null=True, blank=True, help_text="When its progress last rose.")
    deadline_at = models.DateTimeField(
        null=True, blank=True, help_text="After it, by S3's clock, Remotion can write nothing more."
    )
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = RenderQuerySet.as_manager()

    changed_fields: frozenset[str] = frozenset()
    """Names of the fields set since ``save_changes()``."""

    status_before: str | None = None
    """The status that is stored, while a changed one is not saved yet; None if it has not changed."""

    class Meta:
        ordering = ["-created_at", "-id"]
        permissions = [("start_render_with_priority", "Can start a render with a priority over 0")]
        # No index has a column that a refresh writes, so that a refresh touches no index (a HOT update).
        indexes = [
            models.Index(fields=["owner", "-created_at", "-id"], name="render_owner_newest"),
            models.Index(fields=["-created_at", "-id"], name="render_newest"),
            # Nearly all renders succeed, so a list of those needs no index of its own.
            models.Index(
                fields=["status", "-created_at", "-id"],
                name="render_status_newest",
                condition=HAS_NOT_SUCCEEDED,
            ),
            models.Index(
                fields=["owner", "status", "-created_at", "-id"],
                name="render_owner_status_newest",
                condition=HAS_NOT_SUCCEEDED,
            ),
            models.Index(
                fields=["failure_reason", "-created_at", "-id"],
                name="render_reason_newest",
                condition=HAS_FAILURE_REASON,
            ),
            models.Index(fields=["-created_at", "-id"], name="render_active_newest", condition=NOT_ENDED),
            models.Index(
                fields=["render_id"],
                name="render_id_prefix",
                condition=HAS_SOME_RENDER_ID,
                opclasses=["varchar_pattern_ops"],
            ),
            models.Index(fields=["queue_rank", "id"], name="render_queued", condition=Q(status="queued")),
            models.Index(
                fields=["owner", "queue_rank", "id"], name="render_owner_queued", condition=Q(status="queued")
            ),
            models.Index(
                fields=["template", "-created_at", "-id"],
                name="render_template_newest",
                condition=Q(template__isnull=False),
            ),
            models.Index(
                fields=["owner", "template", "-created_at", "-id"],
                name="render_owner_template_newest",
                condition=Q(template__isnull=False),
            ),
            models.Index(fields=["owner", "kind", "-created_at", "-id"], name="render_owner_kind_newest"),
            models.Index(
                fields=["owner", "external_id", "-created_at", "-id"],
                name="render_owner_external_id",
                condition=HAS_EXTERNAL_ID,
            ),
            models.Index(
                fields=["external_id", "-created_at", "-id"], name="render_external_id", condition=HAS_EXTERNAL_ID
            ),
            models.Index(
                fields=["-finished_at", "-id"], name="render_finished", condition=Q(finished_at__isnull=False)
            ),
            models.Index(
                fields=["owner", "-finished_at", "-id"],
                name="render_owner_finished",
                condition=Q(finished_at__isnull=False),
            ),
            models.Index(fields=["batch", "status"], name="render_batch", condition=Q(batch__isnull=False)),
            models.Index(fields=["reuse_key", "-created_at"], name="render_reuse", condition=HAS_REUSE_KEY),
            models.Index(fields=["retry_of"], name="render_retries", condition=Q(retry_of__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(
                name="render_status_known",
                condition=Q(status__in=["queued", "submitting", "rendering", "succeeded", "failed", "cancelled"]),
            ),
            models.CheckConstraint(
                name="render_progress_from_0_to_1", condition=Q(progress__gte=0) & Q(progress__lte=1)
            ),
            models.CheckConstraint(
                name="render_finished_at_when_terminal",
                condition=Q(status__in=["succeeded", "failed", "cancelled"], finished_at__isnull=False)
                | Q(status__in=["queued", "submitting", "rendering"], finished_at__isnull=True),
            ),
            models.CheckConstraint(
                name="render_failure_reason_when_failed",
                condition=(Q(status="failed") & ~Q(failure_reason="")) | (~Q(status="failed") & Q(failure_reason="")),
            ),
            models.CheckConstraint(
                name="render_rendering_has_render_id",
                condition=~Q(status__in=["rendering", "succeeded"]) | (~Q(render_id="") & ~Q(bucket_name="")),
            ),
            models.CheckConstraint(
                name="render_priority_from_50_to_50", condition=Q(priority__gte=-50) & Q(priority__lte=50)
            ),
            models.CheckConstraint(
                name="render_frame_when_still",
                condition=Q(kind="still", frame__isnull=False) | Q(kind="video", frame__isnull=True),
            ),
            models.UniqueConstraint(
                fields=["poster_of"], name="render_one_poster", condition=Q(poster_of__isnull=False)
            ),
            models.UniqueConstraint(
                fields=["idempotency_key", "owner"],
                name="render_idempotent_per_owner",
                condition=HAS_IDEMPOTENCY_KEY,
            ),
            models.UniqueConstraint(
                fields=["idempotency_key"],
                name="render_idempotent_without_owner",
                condition=HAS_IDEMPOTENCY_KEY & Q(owner__isnull=True),
            ),
            # renderId first: people search for it without its bucket.
            models.UniqueConstraint(
                fields=["render_id", "bucket_name"], name="render_remote_unique", condition=HAS_RENDER_ID
            ),
        ]

    def __str__(self) -> str:
        return self.render_id or str(self.id)

    def set_fields(self, **values: Any) -> None:
        """Set fields in memory; ``save_changes()`` saves just these."""
        if "status" in values and self.status_before is None:
            self.status_before = self.status
        for name, value in values.items():
            setattr(self, name, value)
        self.changed_fields = self.changed_fields.union(values)

    def save_changes(self) -> None:
        """Save the fields set since the last call, and nothing else."""
        if self.changed_fields:
            self.save(update_fields=self.changed_fields)
            self.forget_changes()

    def forget_changes(self) -> None:
        """Count the fields as saved."""
        self.changed_fields, self.status_before = frozenset(), None

    @property
    def log_fields(self) -> dict[str, str]:
        """Fields of a log record about the render."""
        return {"render": str(self.id), "bucket": self.bucket_name or self.configured_bucket}

    @property
    def is_terminal(self) -> bool:
        return self.status in self.TERMINAL

    @property
    def is_presumed_failed(self) -> bool:
        """Whether it failed without a word from Remotion, so that its output may still appear."""
        return self.failure_reason in self.PRESUMED_FAILED

    @property
    def is_refreshable(self) -> bool:
        """Whether reading its progress.json can still change it."""
        return self.status == self.Status.RENDERING or self.is_presumed_failed

    @property
    def last_read_at(self) -> datetime | None:
        """When S3 last said how it is, even if nothing had changed."""
        state = getattr(self, "refresh_state", None)
        return state.answered_at if state and state.answered_at else self.refreshed_at

    @property
    def is_stalled(self) -> bool:
        """Whether it renders and its progress has not moved for ``REMOTION_STALL_SECONDS``."""
        moved_at = self.progressed_at or self.submitted_at
        if self.status != self.Status.RENDERING or not self.last_read_at or not moved_at:
            return False
        return (self.last_read_at - moved_at).total_seconds() > settings.REMOTION_STALL_SECONDS

    @property
    def out_name(self) -> str:
        """File name of the output on S3. It holds our id, so that an unconfirmed render can be found by it."""
        return f"{self.id}.{self.extension}"

    @property
    def duration(self) -> float | None:
        """How long the output plays, in seconds; None for a still, and until it is known."""
        if self.kind == self.Kind.STILL or not self.duration_in_frames or not self.fps:
            return None
        return float(self.duration_in_frames * self.options.get("everyNthFrame", 1) / self.fps)

    @property
    def expires_at(self) -> datetime | None:
        """When S3 deletes the files at the earliest; None if they are kept, and until it has ended."""
        days = DELETE_AFTER_DAYS.get(self.options.get("deleteAfter", ""))
        if not days or not self.finished_at:
            return None
        # Not finished_at: that is when its end was seen.
        return (self.submitted_at or self.finished_at) + timedelta(days=days)

    @property
    def is_expired(self) -> bool:
        """Whether its files may have been deleted."""
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def poster(self) -> "Render | None":
        """The still that was rendered as its poster; None if there is none (yet)."""
        return next(iter(self.posters.all()), None)

    @property
    def render_time(self) -> float | None:
        """How long the render took, or has taken until it was last read, in seconds."""
        end = self.finished_at or self.last_read_at
        return (end - self.submitted_at).total_seconds() if end and self.submitted_at else None
