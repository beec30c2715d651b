"""What renders have used: an entry at each end, and totals by day."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Usage(models.Model):
    """What is counted, and by what it is grouped."""

    COUNTED = ("renders", "succeeded", "failed", "cancelled", "video_seconds", "function_seconds", "cost")
    GROUPED = ("day", "owner_id", "template", "region", "currency")

    day = models.DateField(help_text="In UTC.")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,  # an index of each table begins with it
    )
    template = models.CharField(max_length=100, blank=True, help_text="Its name; empty: the default template.")
    region = models.CharField(max_length=32)
    currency = models.CharField(max_length=3, blank=True)
    renders = models.IntegerField(default=0, help_text="Renders that ended; 0 in a correction.")
    succeeded = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    cancelled = models.IntegerField(default=0)
    video_seconds = models.FloatField(default=0, help_text="How long the outputs play.")
    function_seconds = models.FloatField(default=0, help_text="How long functions ran, together.")
    cost = models.FloatField(default=0)

    class Meta:
        abstract = True


class LedgerEntry(Usage):
    """What a render had used when it ended; if it ends again or is read again, what differs. Never changed."""

    render_uuid = models.UUIDField(help_text="Our id; kept when the render is deleted.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name_plural = "ledger entries"
        indexes = [
            models.Index(fields=["render_uuid"], name="ledger_render"),
            models.Index(fields=["-day", "-id"], name="ledger_newest"),
            models.Index(fields=["owner", "-day", "-id"], name="ledger_owner_newest"),
            models.Index(fields=["template", "-day", "-id"], name="ledger_template_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.render_uuid}"


class UsageDay(Usage):
    """Sum of the ledger's entries of one day, owner, template, region and currency."""

    class Meta:
        verbose_name = "day of usage"
        verbose_name_plural = "usage by day"
        indexes = [models.Index(fields=["owner", "day"], name="usage_owner_day")]
        constraints = [
            models.UniqueConstraint(
                fields=["day", "owner", "template", "region", "currency"], name="usage_one_per_day_and_owner"
            ),
            models.UniqueConstraint(
                fields=["day", "template", "region", "currency"],
                name="usage_one_per_day_unowned",
                condition=Q(owner__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.template}"
