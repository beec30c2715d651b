"""What the use cases share: changing a row under its lock, and the configuration of a row."""

import json
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from renders.models import Refresh, Render
from renders.remotion import console, storage
from renders.remotion.client import StartedRender
from renders.remotion.config import REMOTION_VERSION, RemotionConfig
from renders.remotion.errors import RemotionError
from renders.services.schedule import next_refresh_at

logger = logging.getLogger(__name__)


def change(pk: UUID, transition: Callable[[Render], object]) -> Render:
    """Locks the row, reads it again, lets ``transition`` move it, and returns it as it then is."""
    with transaction.atomic():
        render = Render.objects.select_for_update().get(pk=pk)
        transition(render)
        if render.unsaved:
            render.save_changes()
            _reschedule(render)
    return render


def _reschedule(render: Render) -> None:
    at = next_refresh_at(render, timezone.now())
    if at:
        hold([render], next_refresh_at=at)
    elif render.is_terminal:
        Refresh.objects.filter(pk=render.pk).delete()


def hold(renders: Iterable[Render], **values: Any) -> None:
    """Makes a Refresh with these values for each of the rows, or changes the one that there is."""
    Refresh.objects.bulk_create(
        [Refresh(render=row, region=row.region, bucket_name=row.bucket_name, **values) for row in renders],
        update_conflicts=True,
        unique_fields=["render"],
        update_fields=["region", "bucket_name", *values],
    )


def save_many(renders: Iterable[Render]) -> None:
    """``save_changes()`` of many rows at once: a statement for each set of fields that changed."""
    by_fields: dict[frozenset[str], list[Render]] = {}
    for render in renders:
        if render.unsaved:
            by_fields.setdefault(render.unsaved, []).append(render)
            render.unsaved = frozenset()
    for names, rows in by_fields.items():
        update_many(rows, names)


def update_many(rows: Sequence[Model], names: Collection[str]) -> None:
    """Saves these fields of many rows of one model in one statement.

    Django's ``bulk_update`` would spend more on building its CASEs than the database on them.
    """
    if not rows:
        return
    meta, quote = type(rows[0])._meta, connection.ops.quote_name
    key = str(meta.pk.column)
    fields = {str(field.column): field for field in meta.fields if field.name in names}
    if connection.vendor == "postgresql":
        values = [{key: row.pk, **{name: getattr(row, fields[name].attname) for name in fields}} for row in rows]
        types = [f"{quote(name)} {field.db_type(connection)}" for name, field in fields.items()]
        assignments = ", ".join(f"{quote(name)} = new.{quote(name)}" for name in fields)
        statement = (
            f"UPDATE {meta.db_table} AS old SET {assignments}"  # noqa: S608
            f" FROM jsonb_to_recordset(%s::jsonb) AS new({key} uuid, {', '.join(types)}) WHERE old.{key} = new.{key}"
        )
        with connection.cursor() as cursor:
            cursor.execute(statement, [json.dumps(values, default=_as_text)])
        return
    assignments = ", ".join(f"{quote(name)} = %s" for name in fields)
    in_order = (*fields.values(), meta.pk)
    parameters = [
        [field.get_db_prep_save(getattr(row, field.attname), connection) for field in in_order] for row in rows
    ]
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {meta.db_table} SET {assignments} WHERE {key} = %s", parameters)  # noqa: S608


def _as_text(value: datetime | UUID) -> str:
    """Times to the microsecond, which Django's own encoder would cut."""
    return value.isoformat() if isinstance(value, datetime) else str(value)


def config_of(render: Render, config: RemotionConfig) -> RemotionConfig:
    """Today's credentials for the region in which this render was started."""
    return replace(config, region=render.region)


def ask_to_stop(render: Render, config: RemotionConfig) -> None:
    """Asks Remotion to stop a render. A refresh asks again, so a request that is lost is only logged."""
    try:
        storage.request_cancel(config, bucket_name=render.bucket_name, render_id=render.render_id)
    except RemotionError as err:
        logger.warning("Render %s: %s", render.id, err)


def configuration_of(config: RemotionConfig) -> dict[str, Any]:
    """The fields in which a row keeps the settings that it was submitted with."""
    return {
        "composition": config.composition,
        "serve_url": config.serve_url,
        "function_name": config.function_name,
        "function_timeout": config.function_timeout,
        "region": config.region,
        "configured_bucket": config.bucket_name,
        "remotion_version": REMOTION_VERSION,
    }


def take_start(render: Render, *, started: StartedRender) -> None:
    """The transition of a render that Remotion has told us, or that was found."""
    place = {"region": render.region, "render_id": started.render_id}
    render.mark_rendering(
        render_id=started.render_id,
        bucket_name=started.bucket_name,
        cloudwatch_logs=console.cloudwatch_logs_url(function_name=render.function_name, **place),
        folder_in_s3_console=console.s3_folder_url(bucket_name=started.bucket_name, **place),
    )
