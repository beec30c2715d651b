"""The one call of Remotion's function, and what its answer proves.

The call is made once: a repeated start would be a second, paid render.
"""

import re

from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError

from renders.remotion.aws import CONNECTION_FAILED, NO_CREDENTIALS, PERMISSIONS_PAGE, error_code, lambda_client
from renders.remotion.errors import (
    AccessDenied,
    BucketMissing,
    FunctionMissing,
    Rejected,
    RemotionError,
    Throttled,
    Unavailable,
    VersionMismatch,
)
from renders.remotion.json import parse_json
from renders.remotion.target import LambdaTarget, how_to_deploy

# A proxy's failure is not among them: it may have passed the request on.
NOT_CONNECTED = (ConnectTimeoutError, EndpointConnectionError)
NO_CAPACITY = "AWS Lambda has no capacity for another function now. Nothing was started; try again later."
# What Remotion says before it renders anything.
REFUSALS = (
    "Remotion Lambda can only render based on a URL in the cloud",
    "You have multiple buckets",
    "lambda:InvokeFunction",
    "s3:ListAllMyBuckets",
    "Payload is too big",
)
ERROR_NAME = re.compile(r"^(?:(?:\w*(?:Error|Exception)|NoSuchBucket|AccessDenied): )+")


class Unanswered(Exception):
    """The function may have run, but there is no answer. ``str()`` is a clause that says why."""


class BrokeOff(Unanswered):
    """The function ended with an error in place of an answer."""

    def __init__(self, clause: str, message: str) -> None:
        super().__init__(clause)
        self.message = message
        """What it failed with; Remotion's message, unless Lambda ended the function."""


def invoke(target: LambdaTarget, payload: str, *, time_limit: int) -> bytes:
    """Invoke the function once and return its answer, for which it has ``time_limit`` seconds.

    Raise SetupError and its kinds, Rejected, Throttled or Unavailable if the function did not run, and
    Unanswered if that cannot be told.
    """
    client = lambda_client(target, time_limit=time_limit)
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
        raise Unanswered(f"AWS Lambda did not answer ({type(err).__name__})") from err
    if "FunctionError" in response:
        message = _function_error(body)
        raise BrokeOff(f"The function {target.function_name} broke off ({message})", message)
    return body


def refusal(target: LambdaTarget, message: str) -> RemotionError | None:
    """Return the error for a message with which Remotion refuses before it renders; None for any other message."""
    said = plain(message)
    if said.startswith("Version mismatch"):
        return VersionMismatch(
            f"The function {target.function_name} now has another version of Remotion."
            " Nothing was started; try again, which asks it for its version."
        )
    if said.startswith("Rate Exceeded"):
        return Throttled(NO_CAPACITY)
    if said.startswith("The specified bucket does not exist"):
        return BucketMissing(
            f"There is no bucket {target.bucket_name} in {target.region}, so the render cannot run."
            " Set REMOTION_BUCKET_NAME to Remotion's bucket in that region, or remove it."
        )
    if any(words in said for words in REFUSALS):
        return Rejected(f"Remotion rejected the render: {said}")
    return None


def plain(message: str) -> str:
    """Return what an error says, without its name and stack, which some versions put into the message."""
    return ERROR_NAME.sub("", message.partition("\n    at ")[0].strip())


def _refused(target: LambdaTarget, err: ClientError) -> RemotionError | Unanswered:
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
    return Unanswered(f"AWS Lambda failed ({code})")


def _function_error(body: bytes) -> str:
    try:
        error = parse_json(body, replace=True)
        return str(error.get("errorMessage") or error.get("errorType"))
    except (ValueError, AttributeError):
        return "without a reason"
