"""What happened to renders, in the order in which it was committed: the outbox."""

from django.conf import settings
from django.db import connection, models
from django.utils import timezone

from renders.models.batch import Batch
from renders.models.render import Render

PUBLISH_LOCK = 0x45564E54
"""Key of PostgreSQL's advisory lock under which events are inserted: "EVNT" in ASCII."""


class EventQuerySet(models.QuerySet["Event"]):
    def lock_publishing(self) -> None:
        """Let one transaction at a time insert events, until it ends.

        So events are committed in the order of their ids, and who has read one has seen all before it.
        Call it where the transaction waits for no other lock any more. On SQLite the transaction itself is that
        lock, because it is IMMEDIATE.
        """
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PUBLISH_LOCK])


class Event(models.Model):
    """One thing that happened to a render or a batch. Rows are written once and never changed."""

    class Type(models.TextChoices):
        QUEUED = "render.queued", "It waits for free slots"
        STARTED = "render.started", "Remotion renders it"
        PROGRESSED = "render.progressed", "Its progress has risen"
        SUCCEEDED = "render.succeeded", "Its output is there"
        FAILED = "render.failed", "It failed; the reason is in failureReason and error"
        CANCELLED = "render.cancelled", "It was cancelled"
        RECOVERED = "render.recovered", "It had ended as failed or cancelled, and goes on or has succeeded after all"
        BATCH_COMPLETED = "batch.completed", "All renders of the batch have ended"

    id = models.BigAutoField(primary_key=True)
    type = models.CharField(max_length=32, choices=Type)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,  # event_owner begins with it
    )
    render = models.ForeignKey(
        Render,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="events",
        db_index=False,  # event_render begins with it
    )
    batch = models.ForeignKey(Batch, null=True, blank=True, on_delete=models.CASCADE, related_name="events")
    data = models.JSONField(help_text="How the render or batch was then, under the names of the API.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["owner", "id"], name="event_owner"),
            models.Index(fields=["render", "id"], name="event_render"),
            models.Index(fields=["created_at"], name="event_created"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class EventCursor(models.Model):
    """How far the events have been handed over to one of those that are told of all of them."""

    name = models.CharField(max_length=32, primary_key=True)
    last_event_id = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name}: {self.last_event_id}"
