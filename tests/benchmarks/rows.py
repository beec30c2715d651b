"""Renders that are under way, as many as a benchmark wants, each with its file on nginx."""

from datetime import timedelta

from django.db import connection
from django.utils import timezone

from renders.models import RefreshState, Render
from tests.benchmarks import s3
from tests.factories import INPUT_PROPS, make_render

AGE = timedelta(seconds=200)
"""Old enough that each is read every 15 seconds only, and so once in a round."""


def make(count: int) -> None:
    """Replaces all renders by ``count`` that render; none is due."""
    Render.objects.all().delete()
    template = make_render(
        input_props={**INPUT_PROPS, "code": "x" * 1500},
        render_id=s3.render_id(0),
        bucket_name=s3.bucket_name(0),
        submitted_at=timezone.now() - AGE,
    )
    RefreshState.objects.all().delete()
    renders = [
        Render(
            **{
                field.attname: getattr(template, field.attname)
                for field in Render._meta.concrete_fields
                if field.attname not in ("id", "render_id", "bucket_name")
            },
            render_id=s3.render_id(number % s3.RENDERS),
            bucket_name=s3.bucket_name(number // s3.RENDERS),
        )
        for number in range(count)
    ]
    template.delete()
    Render.objects.bulk_create(renders, batch_size=2000)
    RefreshState.objects.bulk_create(
        [
            RefreshState(
                render=render, region=render.region, bucket_name=render.bucket_name, next_refresh_at=timezone.now()
            )
            for render in renders
        ],
        batch_size=2000,
    )
    tidy_up()


def make_due() -> None:
    """All are due, as if the time had come."""
    RefreshState.objects.update(next_refresh_at=timezone.now() - timedelta(seconds=1))
    tidy_up()


def tidy_up() -> None:
    """What autovacuum does between two times that everything is due."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"VACUUM ANALYZE {RefreshState._meta.db_table}")
            cursor.execute(f"VACUUM ANALYZE {Render._meta.db_table}")
