"""The row that a render is, and what may happen to it: named query sets, constraints, transitions."""

import contextlib
import uuid
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q

from renders.models.fields import RenderFields


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


class Render(RenderFields):
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

    def mark_failed(self, reason: "Render.FailureReason", *, error: str, at: datetime) -> bool:
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
