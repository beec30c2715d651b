"""Limits of one owner, or of all who have none of their own."""

from typing import Any, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import ExpressionWrapper, F, Q

PRIORITIES = "Priorities are from -50 to 50."


class QuotaQuerySet(models.QuerySet["Quota"]):
    def applying_to(self, owner: Any) -> Self:
        """Order so that the first is the one that applies to the owner: their own, or else that of everybody else."""
        return self.filter(Q(owner=owner) | Q(owner=None)).order_by(F("owner").asc(nulls_last=True))

    def requests_per_minute(self, owner: Any) -> models.QuerySet["Quota", int | None]:
        """Return the one limit that applies to the owner: a user, or an OuterRef to one. None is no limit."""
        return self.applying_to(owner).values_list("max_requests_per_minute", flat=True)[:1]


class Quota(models.Model):
    """What an owner may use. An empty limit is none."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="quota",
        help_text="Empty: everybody who has no quota of their own, each for themselves.",
    )
    max_functions = models.PositiveIntegerField(
        "slots at once",
        null=True,
        blank=True,
        help_text="Slots that may be in use at once: Lambda functions. With 0, nothing of theirs starts.",
    )
    max_waiting = models.PositiveIntegerField(
        "renders waiting",
        null=True,
        blank=True,
        help_text="Renders that may be queued. With 0, only what can start at once is accepted.",
    )
    max_requests_per_minute = models.PositiveIntegerField(
        "requests a minute",
        null=True,
        blank=True,
        validators=[MinValueValidator(1, "Give 1 or more. To stop somebody, make their user inactive.")],
        help_text="Requests to the API, of all keys together; those above it are answered 429.",
    )
    max_cost_per_month = models.FloatField(
        "cost a month",
        null=True,
        blank=True,
        validators=[MinValueValidator(0, "A cost is 0 or more.")],
        help_text="In the currency of the cost that Remotion estimates; months are in UTC.",
    )
    max_priority = models.SmallIntegerField(
        "highest priority",
        null=True,
        blank=True,
        validators=[MinValueValidator(-50, PRIORITIES), MaxValueValidator(50, PRIORITIES)],
        help_text="Highest priority of a render, from -50 to 50; 0 is that of a render for which none was sent.",
    )

    objects = QuotaQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                ExpressionWrapper(Q(owner__isnull=True), output_field=models.BooleanField()),
                name="quota_one_default",
                condition=Q(owner__isnull=True),
                violation_error_message="There is a quota of everybody else already: change that one, or choose an"
                " owner.",
            ),
            models.CheckConstraint(
                name="quota_priority_from_50_to_50",
                condition=Q(max_priority__isnull=True) | Q(max_priority__gte=-50) & Q(max_priority__lte=50),
                violation_error_message=PRIORITIES,
            ),
            models.CheckConstraint(
                name="quota_cost_not_negative",
                condition=Q(max_cost_per_month__isnull=True) | Q(max_cost_per_month__gte=0),
                violation_error_message="A cost is 0 or more.",
            ),
            models.CheckConstraint(
                name="quota_requests_at_least_1",
                condition=Q(max_requests_per_minute__isnull=True) | Q(max_requests_per_minute__gte=1),
                violation_error_message="Requests a minute are 1 or more.",
            ),
        ]

    def __str__(self) -> str:
        return f"Quota of {self.owner.get_username() if self.owner else 'everybody else'}"
