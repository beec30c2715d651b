"""The one call of Remotion's function, and what Lambda's answer proves.

The call is made once: a repeated start would be a second, paid render. An error that does not
prove that nothing ran is OutcomeUnknown.
"""

from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError

from renders.remotion.aws import CONNECTION_FAILED, NO_CREDENTIALS, PERMISSIONS_PAGE, error_code, lambda_client
from renders.remotion.errors import (
    AccessDenied,
    FunctionMissing,
    OutcomeUnknown,
    Rejected,
    RemotionError,
    Throttled,
    Unavailable,
)
from renders.remotion.json import parse_json
from renders.remotion.target import LambdaTarget, how_to_deploy

# A proxy's failure is not among them: it may have passed the request on.
NOT_CONNECTED = (ConnectTimeoutError, EndpointConnectionError)
NO_CAPACITY = "AWS Lambda has no capacity for another function now. Nothing was started; try again later."
NOT_REPEATED = "so it is not known whether the render started. It is not started again by itself."


def invoke(target: LambdaTarget, payload: str) -> bytes:
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
