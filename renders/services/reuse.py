"""Answer a request with an earlier render of the same, instead of paying for it again."""

import logging

from renders.models import Render
from renders.remotion import storage
from renders.remotion.errors import RemotionError
from renders.remotion.target import LambdaTarget
from renders.services.fingerprint import fingerprint

logger = logging.getLogger(__name__)


def reuse_key(render: Render) -> str:
    """Return a hash that is equal for renders with the same output: what docs/api.md calls the same.

    Equal are owner, kind, template and its version, site and composition, input props, options, frame and poster.
    """
    # The site too: that of a template that names none is the one in the settings, which no version counts.
    parts = [
        render.owner_id,
        render.kind,
        [render.template_id, render.template_version, render.serve_url, render.composition],
        render.input_props,
        render.options,
        render.frame,
        render.poster_request,
    ]
    return fingerprint(*parts)


def is_usable(render: Render) -> bool:
    """Return whether an earlier render can be answered: it is under way, or its output still exists.

    If S3 cannot be asked, the output is taken to exist, so that it is not paid for twice.
    """
    if not render.is_terminal:
        return True
    if render.is_expired:
        return False
    try:
        target = LambdaTarget.in_region(render.region)
        output = storage.find_output(target, bucket_name=render.output_bucket, key=render.output_key)
    except RemotionError as err:
        logger.warning("Render %s is reused, though its output was not found: %s", render.id, err)
        return True
    return output.size is not None


def forbid_reuse(render: Render) -> None:
    """Let no further request find a render whose output is gone: S3 is asked for it once only."""
    Render.objects.filter(pk=render.pk).update(reuse_key="")
