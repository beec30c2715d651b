"""What the use cases share: changing a row under its lock, and the configuration of a row."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db import transaction

from renders.models import Render
from renders.remotion import console, storage
from renders.remotion.client import StartedRender
from renders.remotion.config import REMOTION_VERSION, RemotionConfig
from renders.remotion.errors import RemotionError

logger = logging.getLogger(__name__)


def change(pk: UUID, transition: Callable[[Render], object]) -> Render:
    """Locks the row, reads it again, lets ``transition`` move it, and returns it as it then is."""
    with transaction.atomic():
        render = Render.objects.select_for_update().get(pk=pk)
        transition(render)
    return render


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
