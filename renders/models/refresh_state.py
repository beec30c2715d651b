"""When each render's progress.json is read next."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection, models, transaction

from renders.models.bulk_update import BulkUpdateQuerySet
from renders.models.plain_loading import PlainLoading
from renders.models.render import Render
from renders.models.render_query_set import RenderQuerySet


class RefreshStateQuerySet(BulkUpdateQuerySet["RefreshState"]):
    def due(self, at: datetime) -> "RefreshStateQuerySet":
        """States of renders whose progress.json is to be read at ``at``."""
        return self.filter(next_refresh_at__lte=at).exclude(bucket_name="")

    def refreshable_renders(self, at: datetime) -> RenderQuerySet:
        """Submitted renders, and presumed failed ones whose recheck is due at ``at``."""
        # A union: for an OR across a join, both databases read all renders.
        due = self.filter(next_refresh_at__lte=at).values("pk")
        submitted = Render.objects.submitted().order_by().values("pk")
        return Render.objects.filter(pk__in=submitted.union(due))

    def skip_locked(self) -> "RefreshStateQuerySet":
        """Those of these states that no other transaction has locked, to change them without waiting for any."""
        if not connection.features.has_select_for_update_skip_locked:
            return self
        return self.model._default_manager.filter(pk__in=self.select_for_update(skip_locked=True).values("pk"))

    def claim(self, *, at: datetime, until: datetime, limit: int) -> list["RefreshState"]:
        """Lease up to ``limit`` of these states until ``until``, and return them.

        One statement finds, leases and reads the rows; the ORM needs three. On PostgreSQL rows that
        another process is claiming are skipped.
        """
        chosen = self.values("pk")[:limit]
        if connection.features.has_select_for_update_skip_locked:
            chosen = chosen.select_for_update(skip_locked=True)
        with transaction.atomic():
            ids, parameters = chosen.query.sql_with_params()
            claim = (
                f"UPDATE {self.model._meta.db_table} SET asked_at = %s, next_refresh_at = %s"  # noqa: S608
                f" WHERE render_id IN ({ids}) RETURNING render_id, region, bucket_name, answered_at, watched_at, etag"
            )
            states = list(self.model._default_manager.raw(claim, [at, until, *parameters]))
        for state in states:
            # What the statement has just set: parsing it costs more than all other columns.
            state.asked_at, state.next_refresh_at = at, until
        return states

    def upsert(self, renders: Iterable[Render], **values: Any) -> None:
        """Give each render a state with these values, or change those of the one that it has."""
        self.bulk_create(
            [
                RefreshState(render=render, region=render.region, bucket_name=render.bucket_name, **values)
                for render in renders
            ],
            update_conflicts=True,
            unique_fields=["render"],
            update_fields=["region", "bucket_name", *values],
        )


class RefreshState(PlainLoading):
    """Refresh schedule of one render; exists while the render can still change.

    It is a table of its own, with short rows, because every refresh writes it; a row of Render, with all its
    indexes, is written only when something changed.
    """

    render = models.OneToOneField(Render, on_delete=models.CASCADE, primary_key=True, related_name="refresh_state")
    region = models.CharField(max_length=32)
    bucket_name = models.CharField(max_length=255, help_text="Empty for a lost render whose bucket is not known.")
    next_refresh_at = models.DateTimeField(
        db_index=True, help_text="When it is refreshed next. During a refresh: when the lease ends."
    )
    asked_at = models.DateTimeField(null=True, blank=True, help_text="When S3 was last asked.")
    answered_at = models.DateTimeField(null=True, blank=True, help_text="When S3 last answered.")
    watched_at = models.DateTimeField(null=True, blank=True, help_text="When a client last asked for its progress.")
    etag = models.CharField(max_length=255, blank=True, default="", help_text="Of the progress.json last read.")

    objects = RefreshStateQuerySet.as_manager()

    def __str__(self) -> str:
        return str(self.render_id)
