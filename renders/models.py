"""The row that a render is, and what may happen to it."""

import contextlib
import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class IllegalTransition(Exception):
    """A transition was asked for that the render's status does not allow."""


class RenderQuerySet(models.QuerySet["Render"]):
    def active(self) -> "RenderQuerySet":
        # What the partial index is of; the constraints make it the same as the active statuses.
        return self.filter(finished_at__isnull=True)

    def submitted(self) -> "RenderQuerySet":
        """The active renders that AWS has been asked to do: those a refresh can tell apart."""
        return self.active().exclude(status=Render.Status.QUEUED)

    def readable(self, at: datetime) -> "RenderQuerySet":
        """The submitted ones, and those that were given up and are to be looked at again."""
        return self.filter(
            Q(finished_at__isnull=True) & ~Q(status=Render.Status.QUEUED)
            | Q(finished_at__isnull=False, refresh__next_refresh_at__lte=at)
        )

    def occupying(self) -> "RenderQuerySet":
        """The renders that may be using functions on AWS now."""
        return self.submitted()

    def waiting(self) -> "RenderQuerySet":
        """The queued renders, in the order in which they are started."""
        return self.active().filter(status=Render.Status.QUEUED).order_by("queue_rank", "id")

    def in_doubt(self) -> "RenderQuerySet":
        """Submitted, and not known to AWS's answer: being called for now, or with unknown outcome."""
        return self.active().filter(status=Render.Status.SUBMITTING)

    def given_up(self, at: datetime) -> "RenderQuerySet":
        """Those that were lost without a renderId and are to be looked for again now."""
        lost = Render.FailureReason.LOST
        return self.filter(refresh__next_refresh_at__lte=at, failure_reason=lost, render_id="")

    def with_id(self, *texts: str) -> "RenderQuerySet":
        """Those whose id, ours or Remotion's, is among the texts."""
        ours = []
        for text in texts:
            with contextlib.suppress(ValueError):
                ours.append(uuid.UUID(text))
        return self.filter(Q(pk__in=ours) | Q(render_id__in=[text for text in texts if text]))

    def visible_to(self, user: Any) -> "RenderQuerySet":
        """Staff see every render, a user their own, and nobody in particular those without owner."""
        if user.is_staff:
            return self
        return self.filter(owner=user if user.is_authenticated else None)


class Render(models.Model):
    """One video, from the request for it to its end.

    ::

        queued ⇄ submitting → rendering → succeeded
                                        ↘ failed (rejected | render_error | timed_out | lost)
                                              ↘ succeeded, when the output turns up after all
        any of the first three → cancelled

    ``submitting`` is committed before AWS is called: a row left there means that the outcome of
    that call is unknown, and such a row is never submitted again by itself. It goes back to
    ``queued`` only where AWS had no room, which proves that nothing ran. A late or repeated
    event changes nothing; each ``mark_…`` method says whether it changed the row. They change it
    in memory, and ``save_changes()`` saves just what they changed.
    """

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

    objects = RenderQuerySet.as_manager()

    unsaved: frozenset[str] = frozenset()
    """Names of the fields that transitions have changed since ``save_changes()``."""

    class Meta:
        ordering = ["-created_at", "-id"]
        # None has a column that a refresh writes, so that a refresh touches no index (a HOT update).
        indexes = [
            models.Index(fields=["owner", "-created_at", "-id"], name="render_owner_newest"),
            models.Index(fields=["-created_at", "-id"], name="render_newest"),
            # Nearly all renders succeed: a list of those is quick without, and the rest is small.
            models.Index(
                fields=["status", "-created_at", "-id"],
                name="render_status_newest",
                condition=~Q(status="succeeded"),
            ),
            models.Index(
                fields=["owner", "status", "-created_at", "-id"],
                name="render_owner_status_newest",
                condition=~Q(status="succeeded"),
            ),
            models.Index(
                fields=["failure_reason", "-created_at", "-id"],
                name="render_reason_newest",
                condition=~Q(failure_reason=""),
            ),
            models.Index(fields=["created_at"], name="render_active", condition=Q(finished_at__isnull=True)),
            models.Index(fields=["queue_rank", "id"], name="render_waiting", condition=Q(status="queued")),
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
            models.UniqueConstraint(
                fields=["owner", "idempotency_key"],
                name="render_idempotent_per_owner",
                condition=~Q(idempotency_key=""),
            ),
            models.UniqueConstraint(
                fields=["idempotency_key"],
                name="render_idempotent_without_owner",
                condition=~Q(idempotency_key="") & Q(owner__isnull=True),
            ),
            # renderId first: people look for it without its bucket.
            models.UniqueConstraint(
                fields=["render_id", "bucket_name"], name="render_remote_unique", condition=~Q(render_id="")
            ),
        ]

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

    def mark_submitting(self, *, at: datetime, configuration: dict[str, Any]) -> bool:
        """``queued`` → ``submitting``: AWS is called, as configured, as soon as this is committed."""
        if self.status != self.Status.QUEUED:
            return False
        self._set(status=self.Status.SUBMITTING, submitted_at=at, error="", **configuration)
        return True

    def mark_queued_again(self, *, error: str, dispatch_after: datetime) -> bool:
        """``submitting`` → ``queued``: nothing ran; ``cancelled`` if that was asked for meanwhile."""
        if self.status != self.Status.SUBMITTING:
            return False
        if self.cancel_requested_at:
            return self.mark_cancelled(at=self.cancel_requested_at)
        self._set(
            status=self.Status.QUEUED,
            submitted_at=None,
            error=error,
            dispatch_after=dispatch_after,
            throttled_count=self.throttled_count + 1,
        )
        return True

    def request_cancel(self, *, at: datetime) -> bool:
        """An active render is to end: at once if it is queued, else when Remotion has stopped."""
        if self.is_terminal:
            raise IllegalTransition(f"The render has ended already ({self.status}), so there is nothing to cancel.")
        if self.cancel_requested_at is None:
            self._set(cancel_requested_at=at)
        if self.status == self.Status.QUEUED:
            self.mark_cancelled(at=at)
        return True

    def mark_cancelled(self, *, at: datetime) -> bool:
        """Any active status → ``cancelled``."""
        if self.is_terminal:
            return False
        self._set(status=self.Status.CANCELLED, finished_at=at, error="")
        return True

    def mark_rendering(
        self, *, render_id: str, bucket_name: str, cloudwatch_logs: str, folder_in_s3_console: str
    ) -> bool:
        """``submitting`` → ``rendering``: Remotion has said which render this is.

        So does one that was called lost, or cancelled, before that was known: it is stopped, and
        its end recorded, as any other.
        """
        if self.render_id == render_id and self.bucket_name == bucket_name:
            return False
        was_given_up = self.failure_reason == self.FailureReason.LOST or (
            self.status == self.Status.CANCELLED and self.submitted_at is not None
        )
        if self.status != self.Status.SUBMITTING and (self.render_id or not was_given_up):
            raise IllegalTransition(f"A render that is {self.status} cannot take the renderId {render_id}.")
        self._set(
            status=self.Status.RENDERING,
            finished_at=None,
            failure_reason="",
            error="",
            render_id=render_id,
            bucket_name=bucket_name,
            cloudwatch_logs=cloudwatch_logs,
            folder_in_s3_console=folder_in_s3_console,
        )
        return True

    def record_doubt(self, *, error: str) -> bool:
        """``submitting`` stays so: the call to AWS ended without an answer, and ``error`` says how."""
        if self.status != self.Status.SUBMITTING:
            return False
        self._set(error=error)
        return True

    def record_progress(
        self,
        *,
        progress: float,
        frames_rendered: int,
        errors: list[dict[str, Any]],
        cost: float | None,
        currency: str,
        progress_json: dict[str, Any],
        deadline_at: datetime | None,
        at: datetime,
    ) -> bool:
        """What was read at ``at`` of a render that is ``rendering``, or looked at again after it failed.

        Progress and frames only rise.
        """
        if self.status != self.Status.RENDERING and not self.may_yet_succeed:
            return False
        if progress > self.progress:
            self._set(progress=min(1.0, progress), progressed_at=at)
        self._set(
            frames_rendered=max(self.frames_rendered, frames_rendered),
            errors=errors,
            cost=cost,
            currency=currency,
            progress_json=progress_json,
            deadline_at=deadline_at,
            refreshed_at=at,
        )
        return True

    def record_nothing_yet(self, *, at: datetime) -> bool:
        """At ``at`` there was nothing to read of it."""
        if self.status != self.Status.RENDERING and not self.may_yet_succeed:
            return False
        self._set(refreshed_at=at)
        return True

    def mark_succeeded(self, *, output_bucket: str, output_key: str, output_size: int, at: datetime) -> bool:
        """``rendering`` or ``failed`` → ``succeeded``: the output is there."""
        if self.status not in (self.Status.RENDERING, self.Status.FAILED):
            return False
        self._set(
            status=self.Status.SUCCEEDED,
            finished_at=at,
            failure_reason="",
            error="",
            progress=1.0,
            output_bucket=output_bucket,
            output_key=output_key,
            output_size=output_size,
        )
        return True

    def mark_failed(self, reason: FailureReason, *, error: str, at: datetime) -> bool:
        """Any active status → ``failed``, with the reason and a sentence that says what went wrong."""
        if self.is_terminal:
            return False
        self._set(status=self.Status.FAILED, finished_at=at, failure_reason=reason, error=error)
        return True

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self, name, value)
        self.unsaved = self.unsaved.union(values)

    def save_changes(self) -> None:
        """Saves what the transitions since the last time have changed, and nothing else."""
        if self.unsaved:
            self.save(update_fields=self.unsaved)
            self.unsaved = frozenset()


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
