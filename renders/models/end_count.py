"""How many renders have ended: counts by day, which a page can add up without reading renders."""

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from django.db import connection, models

from renders.models.render import Render

NO_BUCKET = -1


class EndKey(NamedTuple):
    """What ends are counted by: the columns of the unique constraint."""

    day: date
    status: str
    failure_reason: str = ""
    time_bucket: int = NO_BUCKET


class EndCountQuerySet(models.QuerySet["EndCount"]):
    def between(self, first: date, last: date) -> "EndCountQuerySet":
        """Counts of the days from ``first`` to ``last``."""
        return self.filter(day__gte=first, day__lte=last)

    def add(self, counts: Mapping[EndKey, int]) -> None:
        """Add to the counts of these keys, in one statement.

        The ORM's upsert can replace a value, and not add to it.
        """
        rows = [(*key, count) for key, count in counts.items() if count]
        if not rows:
            return
        table, names = self.model._meta.db_table, (*EndKey._fields, "renders")
        columns, places = ", ".join(names), ", ".join(["%s"] * len(names))
        statement = (  # of constants
            f"INSERT INTO {table} ({columns}) VALUES {', '.join([f'({places})'] * len(rows))}"  # noqa: S608
            f" ON CONFLICT ({', '.join(EndKey._fields)})"
            f" DO UPDATE SET renders = {table}.renders + excluded.renders"
        )
        fields: list[Any] = [self.model._meta.get_field(name) for name in names]
        values = [
            field.get_db_prep_save(value, connection) for row in rows for field, value in zip(fields, row, strict=True)
        ]
        with connection.cursor() as cursor:
            cursor.execute(statement, values)


class EndCount(models.Model):
    """Renders that ended on a day with this status, for this reason, after a time of this bucket."""

    day = models.DateField(help_text="In UTC.")
    status = models.CharField(max_length=16, choices=Render.Status)
    failure_reason = models.CharField(max_length=16, choices=Render.FailureReason, blank=True, default="")
    time_bucket = models.SmallIntegerField(
        default=NO_BUCKET,
        help_text="Which render times these are, for videos that succeeded; -1 for all other renders.",
    )
    renders = models.IntegerField(default=0)

    objects = EndCountQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=list(EndKey._fields), name="end_count_one_per_key")]

    def __str__(self) -> str:
        return f"{self.day} {self.status}: {self.renders}"
