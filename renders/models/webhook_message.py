"""Events on their way to endpoints, and each attempt to deliver one."""

from datetime import UTC, datetime
from uuid import UUID

from django.db import connection, models, transaction
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from renders.models.event import Event
from renders.models.render import Render
from renders.models.webhook_endpoint import WebhookEndpoint


class WebhookMessageQuerySet(models.QuerySet["WebhookMessage"]):
    def pending(self) -> "WebhookMessageQuerySet":
        """Messages that are to be delivered, now or later."""
        return self.filter(status=WebhookMessage.Status.PENDING)

    def failed(self) -> "WebhookMessageQuerySet":
        """Messages that are not sent any more unless somebody replays them."""
        return self.filter(status=WebhookMessage.Status.FAILED)

    def next_due(self) -> dict[UUID, datetime]:
        """Return each endpoint that has pending messages, with the time at which the first of them is due.

        It steps through the index from one endpoint to the next, so that its cost grows with the number of
        endpoints and not with that of messages; the ORM cannot say it.
        """
        table = self.model._meta.db_table
        # PostgreSQL has no min() of UUIDs.
        first = f"SELECT endpoint_id FROM {table} WHERE status = 'pending'"  # noqa: S608
        last = " ORDER BY endpoint_id LIMIT 1"
        statement = (  # of constants
            f"WITH RECURSIVE head(id) AS (SELECT ({first}{last})"  # noqa: S608
            f" UNION ALL SELECT ({first} AND endpoint_id > head.id{last}) FROM head WHERE head.id IS NOT NULL)"
            f" SELECT id, (SELECT min(next_attempt_at) FROM {table}"
            f" WHERE status = 'pending' AND endpoint_id = head.id) AS due FROM head WHERE id IS NOT NULL"
        )
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return {_as_uuid(id_): _as_time(due) for id_, due in cursor.fetchall()}

    def claim(self, endpoint_id: UUID, *, at: datetime, until: datetime, limit: int) -> "list[WebhookMessage]":
        """Lease up to ``limit`` due messages of an endpoint until ``until``, and return them with what they say.

        A message waits while an earlier one of the same render has not been tried for the first time. On
        PostgreSQL messages that another process is claiming are skipped.
        """
        untried = self.pending().filter(endpoint=OuterRef("endpoint"), render=OuterRef("render"), attempt_count=0)
        # A value and no EXISTS, which PostgreSQL would turn into a join that reads all messages of the endpoint.
        first_untried = Coalesce(Subquery(untried.order_by("id").values("id")[:1]), F("id"))
        due = self.pending().filter(endpoint=endpoint_id, next_attempt_at__lte=at, id__lte=first_untried)
        if connection.features.has_select_for_update_skip_locked:
            due = due.select_for_update(skip_locked=True)
        with transaction.atomic():
            ids = list(due.order_by("next_attempt_at", "id").values_list("pk", flat=True)[:limit])
            self.filter(pk__in=ids).update(next_attempt_at=until)
        return list(self.filter(pk__in=ids).select_related("endpoint", "event").order_by("id")) if ids else []


class WebhookMessage(models.Model):
    """One event for one endpoint. A worker claims it with a lease, by moving ``next_attempt_at``."""

    class Status(models.TextChoices):
        PENDING = "pending"
        DELIVERED = "delivered"
        FAILED = "failed", "Failed: no attempt is left, or the endpoint was disabled"

    id = models.BigAutoField(primary_key=True)
    endpoint = models.ForeignKey(
        WebhookEndpoint,
        on_delete=models.CASCADE,
        related_name="messages",
        db_index=False,  # webhook_message_endpoint begins with it
    )
    event = models.ForeignKey(Event, null=True, blank=True, on_delete=models.CASCADE, related_name="messages")
    render = models.ForeignKey(
        Render, null=True, blank=True, on_delete=models.CASCADE, related_name="+", help_text="Whose order is kept."
    )
    url = models.TextField("URL")
    type = models.CharField(max_length=32, help_text="That of the event, or `ping`.")
    status = models.CharField(max_length=16, choices=Status, default=Status.PENDING)
    attempt_count = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = WebhookMessageQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["endpoint", "-id"], name="webhook_message_endpoint"),
            models.Index(
                fields=["endpoint", "next_attempt_at", "id"], name="webhook_message_due", condition=Q(status="pending")
            ),
            models.Index(
                fields=["endpoint", "render", "id"], name="webhook_message_order", condition=Q(status="pending")
            ),
            models.Index(fields=["endpoint", "-id"], name="webhook_message_failed", condition=Q(status="failed")),
            models.Index(fields=["-finished_at"], name="webhook_message_failed_at", condition=Q(status="failed")),
            models.Index(fields=["-id"], name="webhook_message_failed_newest", condition=Q(status="failed")),
        ]

    def __str__(self) -> str:
        return f"msg_{self.pk}"


def _as_uuid(value: UUID | str) -> UUID:
    """Return a UUID as either driver gives it."""
    return value if isinstance(value, UUID) else UUID(value)


def _as_time(value: datetime | str) -> datetime:
    """Return a time as either driver gives it."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(value).replace(tzinfo=UTC)


class WebhookAttempt(models.Model):
    """One request to an endpoint, and its answer."""

    message = models.ForeignKey(WebhookMessage, on_delete=models.CASCADE, related_name="attempts")
    at = models.DateTimeField(default=timezone.now, editable=False)
    duration_ms = models.PositiveIntegerField()
    status_code = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Empty: there was no answer.")
    answer = models.TextField(blank=True, default="", help_text="The beginning of the answer's body.")
    error = models.TextField(blank=True, default="", help_text="Why there was no answer, or why it is no success.")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.message_id}: {self.status_code or self.error}"
