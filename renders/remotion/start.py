"""Starting a render, exactly once.

Remotion's function makes the renderId, so a repeated call would be a second, paid render. An
error that does not prove that nothing ran is OutcomeUnknown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from remotion_lambda import RenderMediaParams
from remotion_lambda.models import Webhook

from renders.remotion.errors import OutcomeUnknown, VersionMismatch
from renders.remotion.info import forget_version
from renders.remotion.invoke import Unanswered, invoke, plain, refusal
from renders.remotion.json import parse_json
from renders.remotion.payload import build_payload
from renders.remotion.target import LambdaTarget
from renders.remotion.webhook import WebhookSettings

NOT_REPEATED = "so it is not known whether the render started. It is not started again by itself."


@dataclass(frozen=True)
class StartedRender:
    """Remotion's names for a render: its renderId and the bucket it is in."""

    render_id: str
    bucket_name: str


def prepare(
    target: LambdaTarget,
    *,
    serve_url: str,
    composition: str,
    input_props: dict[str, Any],
    options: Mapping[str, Any],
    frames_per_lambda: int | None,
    concurrency: int | None,
    out_name: str,
    props_name: str,
    webhook: WebhookSettings | None = None,
    custom_data: dict[str, str] | None = None,
) -> str:
    """Return the JSON payload of a start; upload input props that are too large for it.

    ``options`` are the render's, validated. One of ``frames_per_lambda`` and ``concurrency`` says how the
    frames are divided among functions; with neither, Remotion chooses. ``out_name`` is the output's
    file name. Deliveries to ``webhook`` carry ``custom_data``, which must be ASCII and under 1 KB.
    Raise as ``build_payload`` does.
    """
    params = RenderMediaParams(
        composition=composition,
        input_props=input_props,
        bucket_name=target.bucket_name or None,
        out_name=out_name,
        enable_cancellation=True,
        webhook=_webhook(webhook, custom_data),
    )
    division = {"framesPerLambda": frames_per_lambda, "concurrency": concurrency}
    return build_payload(target, params, serve_url=serve_url, props_name=props_name, options={**options, **division})


def start(target: LambdaTarget, payload: str) -> StartedRender:
    """Ask the function once to start a render, and return Remotion's names for it.

    Raise SetupError and its kinds, Rejected, Throttled or Unavailable if nothing was started, and
    OutcomeUnknown if that cannot be told. https://www.remotion.dev/docs/lambda/python
    """
    try:
        body = invoke(target, payload, time_limit=target.start_time_limit)
    except Unanswered as err:
        raise OutcomeUnknown(f"{err}, {NOT_REPEATED}") from err
    return _read_reply(target, body)


def _webhook(webhook: WebhookSettings | None, custom_data: dict[str, str] | None) -> Webhook | None:
    # Without a secret, Remotion's deliveries could not be told from forged ones.
    if webhook is None or not webhook.is_complete:
        return None
    return Webhook(secret=webhook.secrets[0], url=webhook.url, customData=custom_data)


def _read_reply(target: LambdaTarget, body: bytes) -> StartedRender:
    try:
        reply = parse_json(body, replace=True)
        if reply["type"] == "success":
            return StartedRender(render_id=str(reply["renderId"]), bucket_name=str(reply["bucketName"]))
        message = str(reply["message"])
    except (ValueError, TypeError, KeyError) as err:
        raise OutcomeUnknown(
            f"The function {target.function_name} sent an answer that is not one of Remotion's, {NOT_REPEATED}"
        ) from err
    if refused := refusal(target, message):
        if isinstance(refused, VersionMismatch):
            forget_version(target)
        raise refused
    # It launches the render and writes the first progress.json at the same time.
    raise OutcomeUnknown(
        f"Remotion failed while it started the render, so it is not known whether it goes on: {plain(message)}"
    )
