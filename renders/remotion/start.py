"""Starting a render, exactly once.

Remotion's function makes the renderId, so a repeated call would be a second, paid render. An
error that does not prove that nothing ran is OutcomeUnknown.
"""

import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError
from remotion_lambda import RemotionClient, RenderMediaParams
from remotion_lambda.exception import RemotionException, RemotionInvalidArgumentException
from remotion_lambda.models import ShouldDownload, Webhook

from renders.remotion.aws import (
    CONNECTION_FAILED,
    NO_CREDENTIALS,
    PERMISSIONS_PAGE,
    error_code,
    lambda_client,
    s3_client,
    session,
    translated_errors,
)
from renders.remotion.errors import (
    AccessDenied,
    BucketMissing,
    FunctionMissing,
    OutcomeUnknown,
    PropsNotStored,
    Rejected,
    RemotionError,
    SetupError,
    Throttled,
    Unavailable,
    VersionMismatch,
)
from renders.remotion.json import parse_json
from renders.remotion.options import CODEC, DOWNLOAD_NAME, FRAMES_PER_LAMBDA, RenderOptions
from renders.remotion.target import LambdaTarget, how_to_deploy
from renders.remotion.webhook import WebhookSettings

# A proxy's failure is not among them: it may have passed the request on.
NOT_CONNECTED = (ConnectTimeoutError, EndpointConnectionError)
# What Remotion's `start` answers before it launches the render. It launches and writes the first
# progress.json at the same time, so any other message may come with the render running.
REFUSALS = (
    "Remotion Lambda can only render based on a URL in the cloud",
    "You have multiple buckets",
    "lambda:InvokeFunction",
    "s3:ListAllMyBuckets",
    "Payload is too big",
)
NO_CAPACITY = "AWS Lambda has no capacity for another function now. Nothing was started; try again later."
MIN_UPLOADED_BYTES = 150_000
NOT_REPEATED = "so it is not known whether the render started. It is not started again by itself."


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
    try:
        return _payload(_PayloadBuilder(target, options.serve_url, props_name), params)
    except SetupError as err:
        raise PropsNotStored(f"The input props are too large for a request and cannot be stored: {err}") from err


def may_be_uploaded(input_props: dict[str, Any]) -> bool:
    """Return whether ``prepare`` may have uploaded these props; the official client decides, at about 194 KB."""
    return len(json.dumps(input_props)) > MIN_UPLOADED_BYTES


def start(target: LambdaTarget, payload: str) -> StartedRender:
    """Ask the function once to start a render, and return Remotion's names for it.

    Raise SetupError and its kinds, Rejected, Throttled or Unavailable if nothing was started, and
    OutcomeUnknown if that cannot be told. https://www.remotion.dev/docs/lambda/python
    """
    return _read_reply(target, _invoke(target, payload))


class _PayloadBuilder(RemotionClient):
    """The official client, used to build one payload.

    It uploads large props to the configured bucket, if any, under a name of their own. By itself it
    names them after their hash, and the function deletes its props when it ends, so that of two
    renders with equal props the first one to end would take away those of the other.
    """

    def __init__(self, target: LambdaTarget, serve_url: str, props_name: str) -> None:
        super().__init__(
            region=target.region, serve_url=serve_url, function_name=target.function_name, session=session(target)
        )
        self.target = target
        self._props_name = props_name

    def _create_s3_client(self) -> Any:
        return s3_client(self.target)

    def _get_or_create_bucket(self) -> str:
        return self.target.bucket_name or super()._get_or_create_bucket()

    def _generate_hash(self, payload: str) -> str:
        return self._props_name


def _payload(builder: _PayloadBuilder, params: RenderMediaParams) -> str:
    with translated_errors(builder.target):
        try:
            return builder.construct_render_request(params, render_type="video-or-audio")
        except RemotionInvalidArgumentException as err:
            if isinstance(err.__cause__, ClientError):
                raise err.__cause__ from err
            raise Rejected(f"Remotion cannot take these input props: {err}") from err
        except RemotionException as err:
            raise Rejected(str(err)) from err


def _webhook(webhook: WebhookSettings | None, custom_data: dict[str, str] | None) -> Webhook | None:
    # Without a secret, Remotion's deliveries could not be told from forged ones.
    if webhook is None or not webhook.is_complete:
        return None
    return Webhook(secret=webhook.secrets[0], url=webhook.url, customData=custom_data)


def _invoke(target: LambdaTarget, payload: str) -> bytes:
    """Invoke the function once and return its reply; raise an error for each way in which there is none."""
    client = lambda_client(target)
    try:
        response = client.invoke(FunctionName=target.function_name, Payload=payload)
        body: bytes = response["Payload"].read()
    except NO_CREDENTIALS as err:
        raise AccessDenied(f"boto3's credential chain found no AWS credentials: {err}") from err
    except NOT_CONNECTED as err:
        raise Unavailable("AWS Lambda cannot be reached. Nothing was started; try again later.") from err
    except ClientError as err:
        if err.operation_name != "Invoke":
            raise AccessDenied(f"AWS gave no credentials for the call: {err}") from err
        raise _refused(target, err) from err
    except CONNECTION_FAILED as err:
        raise OutcomeUnknown(f"AWS Lambda did not answer ({type(err).__name__}), {NOT_REPEATED}") from err
    if "FunctionError" in response:
        raise OutcomeUnknown(f"The function {target.function_name} broke off ({_function_error(body)}), {NOT_REPEATED}")
    return body


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


def _refused(target: LambdaTarget, err: ClientError) -> RemotionError:
    """Return what Lambda's API error means. https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""
    status = err.response["ResponseMetadata"]["HTTPStatusCode"]
    code = error_code(err)
    if status == 429:
        return Throttled(NO_CAPACITY)
    if code == "ResourceNotFoundException":
        return FunctionMissing(
            f"There is no function {target.function_name} in {target.region}. {how_to_deploy(target)}"
        )
    if status in (401, 403):
        return AccessDenied(
            f"AWS does not let these credentials invoke {target.function_name} in {target.region} ({code})."
            f" Check them and the user's policy: {PERMISSIONS_PAGE}"
        )
    if status < 500:
        return Rejected(f"AWS Lambda rejected the request ({code}): {err.response['Error'].get('Message', '')}")
    return OutcomeUnknown(f"AWS Lambda failed ({code}), {NOT_REPEATED}")


def _function_error(body: bytes) -> str:
    try:
        error = parse_json(body, replace=True)
        return str(error.get("errorMessage") or error.get("errorType"))
    except (ValueError, AttributeError):
        return "without a reason"
