"""The fields of a render's row, and what follows from them."""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone


class RenderFields(models.Model):
    """What is known of a render; ``Render`` says how it changes and what must never be false."""

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
        LOST = "lost", "Lost: it vanished without a trace"

    ACTIVE = (Status.QUEUED, Status.SUBMITTING, Status.RENDERING)
    TERMINAL = (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED)

    GIVEN_UP = (FailureReason.TIMED_OUT, FailureReason.LOST)
    """Remotion has said nothing of why: the output may yet turn up."""

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
    error = models.TextField(blank=True, default="", help_text="What went wrong, in a sentence.")
    errors = models.JSONField(default=list, blank=True, help_text="Remotion's errors and warnings.")

    input_props = models.JSONField()
    composition = models.CharField(max_length=255)
    serve_url = models.TextField(help_text="URL or site name.")
    function_name = models.CharField(max_length=255)
    function_timeout = models.PositiveIntegerField(help_text="The function's time limit in seconds.")
    region = models.CharField(max_length=32)
    configured_bucket = models.CharField(
        max_length=255, blank=True, default="", help_text="The bucket asked for; empty: Remotion's own in the region."
    )
    frames_per_lambda = models.PositiveIntegerField()
    codec = models.CharField(max_length=16)
    remotion_version = models.CharField(max_length=32)

    render_id = models.CharField(max_length=255, blank=True, default="")
    bucket_name = models.CharField(max_length=255, blank=True, default="")
    cloudwatch_logs = models.TextField(blank=True, default="")
    folder_in_s3_console = models.TextField(blank=True, default="")

    progress = models.FloatField(default=0, help_text="0 to 1; never shown going back.")
    frames_rendered = models.PositiveIntegerField(default=0)
    output_bucket = models.CharField(max_length=255, blank=True, default="")
    output_key = models.TextField(blank=True, default="")
    output_size = models.PositiveBigIntegerField(null=True, blank=True, help_text="Bytes.")
    cost = models.FloatField(null=True, blank=True, help_text="Remotion's estimate, Lambda only.")
    currency = models.CharField(max_length=3, blank=True, default="")
    progress_json = models.JSONField(null=True, blank=True, help_text="The last progress.json read.")

    functions = models.PositiveIntegerField(default=1, help_text="How many functions the render occupies at most.")
    priority = models.SmallIntegerField(default=0, help_text="-50 to 50; the higher, the sooner.")
    queue_rank = models.DateTimeField(
        default=timezone.now, help_text="created_at, a minute earlier for each point of priority."
    )
    dispatch_after = models.DateTimeField(null=True, blank=True, help_text="AWS had no room: not before this.")
    throttled_count = models.PositiveIntegerField(default=0, help_text="How often AWS had no room.")
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    retry_of = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="retries")
    idempotency_key = models.CharField(max_length=255, blank=True, default="")
    idempotency_fingerprint = models.CharField(max_length=64, blank=True, default="")

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    submitted_at = models.DateTimeField(null=True, blank=True)
    refreshed_at = models.DateTimeField(null=True, blank=True, help_text="When AWS last had news of it.")
    progressed_at = models.DateTimeField(null=True, blank=True, help_text="When its progress last moved.")
    deadline_at = models.DateTimeField(null=True, blank=True, help_text="When nothing can come any more.")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.render_id or str(self.id)

    @property
    def is_terminal(self) -> bool:
        return self.status in self.TERMINAL

    @property
    def may_yet_succeed(self) -> bool:
        """Whether it was given up without word from Remotion."""
        return self.failure_reason in self.GIVEN_UP

    @property
    def last_read_at(self) -> datetime | None:
        """When AWS last said how it is, be it that nothing has changed."""
        refresh = getattr(self, "refresh", None)
        return refresh.answered_at if refresh and refresh.answered_at else self.refreshed_at

    @property
    def is_stalled(self) -> bool:
        """Whether it renders and its progress has not moved for ``REMOTION_STALL_SECONDS``."""
        moved_at = self.progressed_at or self.submitted_at
        if self.status != self.Status.RENDERING or not self.last_read_at or not moved_at:
            return False
        return (self.last_read_at - moved_at).total_seconds() > settings.REMOTION_STALL_SECONDS

    @property
    def out_name(self) -> str:
        """The output's file name on S3: our mark, by which a render can be told to be this row's."""
        return f"{self.id}.mp4"

    @property
    def duration_in_frames(self) -> int:
        return self.input_props["durationInFrames"]

    @property
    def duration(self) -> float:
        """How long the video plays, in seconds."""
        return self.duration_in_frames / self.input_props["fps"]

    @property
    def render_time(self) -> float | None:
        """How long the render took, or has taken until it was last read, in seconds."""
        end = self.finished_at or self.last_read_at
        return (end - self.submitted_at).total_seconds() if end and self.submitted_at else None
