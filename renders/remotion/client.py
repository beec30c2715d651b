"""Starting a render, once: Remotion's function makes the renderId, so a repeated call would be a
second, paid render. Everything that does not prove that nothing ran is OutcomeUnknown.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError
from remotion_lambda import RemotionClient, RenderMediaParams
from remotion_lambda.exception import RemotionException, RemotionInvalidArgumentException
from remotion_lambda.models import ShouldDownload, Webhook

from renders.remotion.aws import (
    BROKEN_OFF,
    NO_CREDENTIALS,
    PERMISSIONS_PAGE,
    error_code,
    lambda_client,
    parse_json,
    s3_client,
    session,
    translated_errors,
)
from renders.remotion.config import CODEC, FRAMES_PER_LAMBDA, RemotionConfig, how_to_deploy
from renders.remotion.errors import (
    AccessDenied,
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

DOWNLOAD_NAME = "video.mp4"

# A broken proxy is not among them: it may have passed the request on.
NOT_CONNECTED = (ConnectTimeoutError, EndpointConnectionError)
# What Remotion's `start` says before it launches the render. It launches and writes the first
# progress.json at once, so any other message may come of that writing, with the render started.
REFUSALS = (
    "Remotion Lambda can only render based on a URL in the cloud",
    "You have multiple buckets",
    "lambda:InvokeFunction",
    "s3:ListAllMyBuckets",
    "Payload is too big",
)
NO_ROOM = "AWS Lambda has no room for another function now. Nothing was started; try again later."


@dataclass(frozen=True)
class StartedRender:
    """What Remotion calls the render that it has started."""

    render_id: str
    bucket_name: str


def prepare(
    config: RemotionConfig, *, input_props: dict[str, Any], out_name: str, custom_data: dict[str, str] | None = None
) -> str:
    """The payload of a start. Props that are too large for it are put into the bucket first.

    With a webhook that is configured, its deliveries carry ``custom_data``: ASCII, under 1 KB.

    Raises PropsNotStored where the bucket refuses them, Rejected where Remotion cannot take them,
    SetupError or Unavailable.
    """
    config.require_credentials()
    try:
        return _payload(config, input_props=input_props, out_name=out_name, custom_data=custom_data)
    except SetupError as err:
        raise PropsNotStored(f"The input props are too large to be sent and cannot be stored: {err}") from err


def start(config: RemotionConfig, payload: str) -> StartedRender:
    """Asks the function to start a render, once, and says which one it is.

    Raises SetupError and its kinds, Rejected, Throttled or Unavailable where nothing was started,
    and OutcomeUnknown where that cannot be told.
    https://www.remotion.dev/docs/lambda/python
    """
    return _read_start_reply(config, _invoke(config, payload))


class _PayloadBuilder(RemotionClient):
    """The official client, for the payload alone; large props go to the configured bucket, if any."""

    def __init__(self, config: RemotionConfig) -> None:
        config.require_site()
        super().__init__(
            region=config.region,
            serve_url=config.serve_url,
            function_name=config.function_name,
            session=session(config),
        )
        self._remotion_config = config

    def _create_s3_client(self) -> Any:
        return s3_client(self._remotion_config)

    def _get_or_create_bucket(self) -> str:
        return self._remotion_config.bucket_name or super()._get_or_create_bucket()


@lru_cache(maxsize=32)
def _payload_builder(config: RemotionConfig) -> _PayloadBuilder:
    return _PayloadBuilder(config)


def _payload(
    config: RemotionConfig, *, input_props: dict[str, Any], out_name: str, custom_data: dict[str, str] | None = None
) -> str:
    params = RenderMediaParams(
        composition=config.composition,
        input_props=input_props,
        bucket_name=config.bucket_name or None,
        codec=CODEC,
        frames_per_lambda=FRAMES_PER_LAMBDA,
        out_name=out_name,
        download_behavior=ShouldDownload(type="download", fileName=DOWNLOAD_NAME),
        privacy=config.privacy,
        enable_cancellation=True,
        webhook=_webhook(config, custom_data),
    )
    with translated_errors(config):
        try:
            return _payload_builder(config).construct_render_request(params, render_type="video-or-audio")
        except RemotionInvalidArgumentException as err:
            if isinstance(err.__cause__, ClientError):
                raise err.__cause__ from err
            raise Rejected(f"Remotion cannot take these input props: {err}") from err
        except RemotionException as err:
            raise Rejected(str(err)) from err


def _webhook(config: RemotionConfig, custom_data: dict[str, str] | None) -> Webhook | None:
    # Without a secret Remotion would send deliveries that cannot be told from forged ones.
    if not config.webhook_url or not config.webhook_secrets:
        return None
    return Webhook(secret=config.webhook_secrets[0], url=config.webhook_url, customData=custom_data)


def _invoke(config: RemotionConfig, payload: str) -> bytes:
    """Invokes the function once; its reply, or an error for each way in which there is none."""
    client = lambda_client(config)
    try:
        response = client.invoke(FunctionName=config.function_name, Payload=payload)
        body: bytes = response["Payload"].read()
    except NO_CREDENTIALS as err:
        raise AccessDenied(f"AWS credentials were not found by boto3's own chain: {err}") from err
    except NOT_CONNECTED as err:
        raise Unavailable("AWS Lambda cannot be reached. Nothing was started; try again later.") from err
    except ClientError as err:
        if err.operation_name != "Invoke":
            raise AccessDenied(f"AWS gave no credentials to call it with: {err}") from err
        raise _start_refused(config, err) from err
    except BROKEN_OFF as err:
        raise OutcomeUnknown(
            f"AWS Lambda did not answer ({type(err).__name__}), so it is not known whether the render started."
            " It is not started again by itself."
        ) from err
    if "FunctionError" in response:
        raise OutcomeUnknown(
            f"The function {config.function_name} broke off ({_function_error(body)}),"
            " so it is not known whether the render started. It is not started again by itself."
        )
    return body


def _read_start_reply(config: RemotionConfig, body: bytes) -> StartedRender:
    try:
        reply = parse_json(body)
        if reply["type"] == "success":
            return StartedRender(render_id=str(reply["renderId"]), bucket_name=str(reply["bucketName"]))
        message = str(reply["message"]).strip()
    except (ValueError, TypeError, KeyError) as err:
        raise OutcomeUnknown(
            f"The function {config.function_name} answered something that is not a reply of Remotion's,"
            " so it is not known whether the render started. It is not started again by itself."
        ) from err
    if message.startswith("Version mismatch"):
        raise VersionMismatch(
            f"The function {config.function_name} has another version of Remotion than this service."
            f" {how_to_deploy(config)}"
        )
    if message.startswith("Rate Exceeded"):
        raise Throttled(NO_ROOM)
    if any(refusal in message for refusal in REFUSALS):
        raise Rejected(f"Remotion rejected the render: {message}")
    raise OutcomeUnknown(
        f"Remotion failed while it started the render, so it is not known whether it goes on: {message}"
    )


def _start_refused(config: RemotionConfig, err: ClientError) -> RemotionError:
    """What Lambda's API error says of the start. https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""
    status = err.response["ResponseMetadata"]["HTTPStatusCode"]
    code = error_code(err)
    if status == 429:
        return Throttled(NO_ROOM)
    if code == "ResourceNotFoundException":
        return FunctionMissing(
            f"There is no function {config.function_name} in {config.region}. {how_to_deploy(config)}"
        )
    if status in (401, 403):
        return AccessDenied(
            f"AWS does not let these credentials invoke {config.function_name} in {config.region} ({code})."
            f" Check them and the user's policy: {PERMISSIONS_PAGE}"
        )
    if status < 500:
        return Rejected(f"AWS Lambda rejected the request ({code}): {err.response['Error'].get('Message', '')}")
    return OutcomeUnknown(
        f"AWS Lambda failed ({code}), so it is not known whether the render started. It is not started again by itself."
    )


def _function_error(body: bytes) -> str:
    try:
        error = parse_json(body)
        return str(error.get("errorMessage") or error.get("errorType"))
    except (ValueError, AttributeError):
        return "without a reason"
