"""Starting a render, exactly once.

Remotion's function makes the renderId, so a repeated call would be a second, paid render. An
error that does not prove that nothing ran is OutcomeUnknown.
"""

from dataclasses import dataclass
from typing import Any

from remotion_lambda import RenderMediaParams
from remotion_lambda.models import ShouldDownload, Webhook

from renders.remotion.errors import BucketMissing, OutcomeUnknown, Rejected, Throttled, VersionMismatch
from renders.remotion.invoke import NO_CAPACITY, NOT_REPEATED, invoke
from renders.remotion.json import parse_json
from renders.remotion.options import CODEC, DOWNLOAD_NAME, FRAMES_PER_LAMBDA, RenderOptions
from renders.remotion.payload import build_payload
from renders.remotion.target import LambdaTarget, how_to_deploy
from renders.remotion.webhook import WebhookSettings

# What Remotion's `start` answers before it launches the render. It launches and writes the first
# progress.json at the same time, so any other message may come with the render running.
REFUSALS = (
    "Remotion Lambda can only render based on a URL in the cloud",
    "You have multiple buckets",
    "lambda:InvokeFunction",
    "s3:ListAllMyBuckets",
    "Payload is too big",
)


@dataclass(frozen=True)
class StartedRender:
    """Remotion's names for a render: its renderId and the bucket it is in."""

    render_id: str
    bucket_name: str


def prepare(
    target: LambdaTarget,
    options: RenderOptions,
    *,
    input_props: dict[str, Any],
    props_name: str,
    out_name: str,
    webhook: WebhookSettings | None = None,
    custom_data: dict[str, str] | None = None,
) -> str:
    """Return the JSON payload of a start; upload input props that are too large for it (about 194 KB).

    They go to ``input-props/<props_name>.json``, which no other render may use. ``out_name`` is the
    output's file name. Deliveries to ``webhook`` carry ``custom_data``, which must be ASCII and
    under 1 KB. Raise PropsNotStored if the bucket refuses the props, Rejected if Remotion cannot
    take them, SetupError or Unavailable.
    """
    target.require_credentials()
    options.require_site()
    params = RenderMediaParams(
        composition=options.composition,
        input_props=input_props,
        bucket_name=target.bucket_name or None,
        codec=CODEC,
        frames_per_lambda=FRAMES_PER_LAMBDA,
        out_name=out_name,
        download_behavior=ShouldDownload(type="download", fileName=DOWNLOAD_NAME),
        privacy=options.privacy,
        enable_cancellation=True,
        webhook=_webhook(webhook, custom_data),
    )
    return build_payload(target, params, serve_url=options.serve_url, props_name=props_name)


def start(target: LambdaTarget, payload: str) -> StartedRender:
    """Ask the function once to start a render, and return Remotion's names for it.

    Raise SetupError and its kinds, Rejected, Throttled or Unavailable if nothing was started, and
    OutcomeUnknown if that cannot be told. https://www.remotion.dev/docs/lambda/python
    """
    return _read_reply(target, invoke(target, payload))


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
        message = str(reply["message"]).strip()
    except (ValueError, TypeError, KeyError) as err:
        raise OutcomeUnknown(
            f"The function {target.function_name} sent an answer that is not one of Remotion's, {NOT_REPEATED}"
        ) from err
    if message.startswith("Version mismatch"):
        raise VersionMismatch(
            f"The function {target.function_name} has another version of Remotion than this service."
            f" {how_to_deploy(target)}"
        )
    if message.startswith("Rate Exceeded"):
        raise Throttled(NO_CAPACITY)
    if "The specified bucket does not exist" in message:
        raise BucketMissing(
            f"There is no bucket {target.bucket_name} in {target.region}, so the render cannot run."
            " Set REMOTION_BUCKET_NAME to Remotion's bucket in that region, or remove it."
        )
    if any(refusal in message for refusal in REFUSALS):
        raise Rejected(f"Remotion rejected the render: {message}")
    raise OutcomeUnknown(
        f"Remotion failed while it started the render, so it is not known whether it goes on: {message}"
    )
