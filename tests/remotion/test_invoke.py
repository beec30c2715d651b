"""The one call of the function: each way in which Lambda can answer, or not."""

import socket
from typing import Any

import pytest

from renders.remotion.errors import (
    AccessDenied,
    FunctionMissing,
    OutcomeUnknown,
    Rejected,
    RemotionError,
    SetupError,
    Throttled,
    Unavailable,
)
from renders.remotion.invoke import invoke
from renders.remotion.target import LambdaTarget
from tests.servers import INVOKE, Answer, ScriptedServer, lambda_error, reply


def invoke_once() -> bytes:
    return invoke(LambdaTarget.from_settings(), "{}")


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class TestInvoke:
    def test_returns_the_functions_answer(self, aws: ScriptedServer) -> None:
        aws.answers[INVOKE] = Answer(b"what it said")
        assert invoke_once() == b"what it said"
        ((method, path, body),) = aws.requests
        assert (method, path.split("/")[3]) == ("POST", "remotion-render-4-0-527-mem3009mb-disk10240mb-240sec")
        assert body == b"{}"

    @pytest.mark.parametrize(
        ("answer", "kind", "words"),
        [
            (lambda_error(429, "TooManyRequestsException"), Throttled, "no capacity"),
            (lambda_error(404, "ResourceNotFoundException"), FunctionMissing, "functions deploy --region=us-east-1"),
            (lambda_error(403, "AccessDeniedException"), AccessDenied, "permissions"),
            (lambda_error(403, "ExpiredTokenException"), AccessDenied, "ExpiredTokenException"),
            (lambda_error(413, "RequestTooLargeException", "Too large."), Rejected, "Too large."),
            (lambda_error(500, "ServiceException"), OutcomeUnknown, "not known whether"),
            (lambda_error(502, "EC2UnexpectedException"), OutcomeUnknown, "not known whether"),
            (Answer(b'{"type":"success"', missing_bytes=40), OutcomeUnknown, "not known whether"),
            (Answer(reset=True), OutcomeUnknown, "not known whether"),
            (
                reply({"errorMessage": "Task timed out"}, headers={"X-Amz-Function-Error": "Unhandled"}),
                OutcomeUnknown,
                "Task timed out",
            ),
        ],
    )
    def test_each_other_answer_is_an_error_and_never_a_second_start(
        self, aws: ScriptedServer, answer: Answer, kind: type[RemotionError], words: str
    ) -> None:
        aws.answers[INVOKE] = answer
        with pytest.raises(kind, match=words) as raised:
            invoke_once()
        assert type(raised.value) is kind
        assert aws.count(INVOKE) == 1

    def test_no_answer_in_time_is_unknown(self, aws: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_START_TIMEOUT = 1
        aws.answers[INVOKE] = Answer(delay=1.5)
        with pytest.raises(OutcomeUnknown, match="ReadTimeoutError"):
            invoke_once()
        assert aws.count(INVOKE) == 1

    def test_a_refused_connection_started_nothing(self, settings: Any) -> None:
        settings.AWS_ENDPOINT_URL_LAMBDA = f"http://127.0.0.1:{unused_port()}"
        with pytest.raises(Unavailable, match="Nothing was started"):
            invoke_once()

    def test_an_endpoint_that_is_none_is_a_matter_of_setup(self, settings: Any) -> None:
        settings.AWS_ENDPOINT_URL_LAMBDA = "no url"
        with pytest.raises(SetupError, match="no url"):
            invoke_once()

    def test_a_name_that_remotion_gave_tells_the_functions_size(self, aws: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_FUNCTION_NAME = "remotion-render-4-0-500-mem2048mb-disk512mb-900sec"
        assert LambdaTarget.from_settings().function_timeout == 900
        aws.answers[INVOKE] = lambda_error(404, "ResourceNotFoundException")
        with pytest.raises(FunctionMissing, match="--memory=2048 --disk=512 --timeout=900") as raised:
            invoke_once()
        assert "Deploy remotion-render-4-0-527-mem2048mb-disk512mb-900sec and remove" in str(raised.value)

    def test_no_longer_is_waited_than_the_function_may_run(self, aws: ScriptedServer, settings: Any) -> None:
        settings.REMOTION_TIMEOUT = 1
        aws.answers[INVOKE] = Answer(delay=1.5)
        with pytest.raises(OutcomeUnknown, match="ReadTimeoutError"):
            invoke_once()
